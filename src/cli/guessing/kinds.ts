/** What a value of a column of kinds stands for. */
export interface KindGuess {
  /** The kind of events; `cart` and `uncart` are signals. */
  kind: string;
  /** Why, where the word has more than one meaning. */
  why?: string;
}

/** Words for each kind, joined without marks. */
const WORDS: Readonly<Record<string, string>> = {
  impression:
    "impression impressions impress expose exposed exposure show shown display displayed seen recommend serve served itemshown adimpression",
  click:
    "click clicks clicked tap tapped open opened select selected detail details visit enter entered join joined clickitem " +
    "clickout itemclick selectitem viewitem productview viewproduct viewdetail pv clk productdetail enterroom joinroom",
  watch:
    "watch watched play played playback listen listened stream finish complete completed leave left exit viewend watchend playend",
  like: "like liked likes thumbsup upvote heart love loved fav favorite favourite favorites wishlist addtowishlist collect bookmark save saved addfavorite clickfavorite",
  dislike: "dislike disliked hate downvote thumbsdown notinterested report block hide",
  follow: "follow followed subscribe subscribed sub subscription",
  share: "share shared forward repost retweet",
  comment: "comment commented chat message msg reply review danmaku post postcomment",
  gift: "gift gifts donate donation donated tip bits cheer superchat reward sendgift",
  purchase:
    "purchase purchased buy bought transaction order ordered conversion convert sale paid pay payment checkoutcomplete buyitem placeorder cartbuy completepurchase booking",
  rating: "rate rated rating score",
  heartbeat: "heartbeat ping beat progress playprogress",
  cart: "addtocart cart basket addtobasket additem addcart",
  uncart: "removefromcart removecart removefrombasket uncart",
  on_air: "onair golive live started streamstart streamonline online broadcaststart startlive",
  off_air: "offair stop stopped ended streamend streamoffline offline broadcastend endlive",
  update: "update updated titlechange channelupdate",
};

const KNOWN = new Map(Object.entries(WORDS).flatMap(([kind, words]) => words.split(" ").map((word) => [word, kind])));

/** The kinds that values of a column stand for; those that stand for none are missing. */
export function kindsOf(values: readonly string[]): Map<string, KindGuess> {
  const plain = (value: string) => value.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
  const others = new Set(values.map((value) => KNOWN.get(plain(value))));
  const found = new Map<string, KindGuess>();
  for (const value of values) {
    const word = plain(value);
    const kind = KNOWN.get(word);
    if (kind !== undefined) found.set(value, { kind });
    else if (/^(?:view|viewed|views|pageview)$/.test(word)) {
      const isShown = others.has("click");
      const why = isShown
        ? "there are clicks as well, so views are what was shown"
        : "there are no clicks, so a view is one";
      found.set(value, { kind: isShown ? "impression" : "click", why });
    }
  }
  return found;
}

/** Columns of 0 and 1 that say that something happened. */
const FLAGS: Readonly<Record<string, string>> = {
  ...{ click: "click", clicked: "click", isclick: "click", label: "click" },
  ...{ like: "like", islike: "like", liked: "like", favorite: "like", isfavorite: "like" },
  ...{ follow: "follow", isfollow: "follow", comment: "comment", iscomment: "comment" },
  ...{ share: "share", isshare: "share", forward: "share", isforward: "share" },
  ...{ hate: "dislike", ishate: "dislike", dislike: "dislike", isdislike: "dislike" },
  ...{ purchase: "purchase", ispurchase: "purchase", bought: "purchase", buy: "purchase", conversion: "purchase" },
  ...{ addtocart: "cart", cart: "cart", iscart: "cart" },
};

/** The kind that a column of 0 and 1 stands for; undefined for none. */
export function flagKind(words: readonly string[]): string | undefined {
  return FLAGS[words.join("")];
}
