import type { Facts } from "./facts.js";

/** What a column may be for. */
export type Role =
  | "time"
  | "start"
  | "end"
  | "user"
  | "stream"
  | "kind"
  | "duration"
  | "rating"
  | "amount"
  | "position"
  | "message"
  | "streamer"
  | "category"
  | "title"
  | "tags"
  | "language";

/** Names of columns for each role, joined without marks, the surest first. */
const NAMES: Readonly<Record<Role, string>> = {
  time:
    "time timestamp eventtime eventtimestamp ts datetime date createdat created occurredat eventdate timems unixtime " +
    "unixreviewtime reviewtime logtime servertime clicktime visittime viewtime purchasedate orderdate invoicedate sentat " +
    "receivedat at when epoch timeat localtime actiontime requesttime playedat listenedat ratedat updatedat day",
  start: "start starttime startedat starttimestamp begin begintime begints startts entertime jointime enteredat from",
  end: "end endtime endedat endtimestamp stop stoptime stopts endts leavetime exittime leftat until to",
  user:
    "user userid uid viewer viewerid member memberid customer customerid visitor visitorid accountid account client " +
    "clientid userpseudoid username reviewerid profileid personid subscriberid buyerid buyer player playerid steamid " +
    "chatter sender fromuser nick nickname login author authorid userhash viewername usernum userindex userno " +
    "anonymousid distinctid deviceid cookieid cookie sessionid session",
  stream:
    "stream streamid room roomid live liveid item itemid iid channel channelid channelname broadcaster broadcasterid video " +
    "videoid vid movie movieid film filmid product productid sku asin parentasin goodsid stockcode article articleid news " +
    "newsid track trackid songid song game gameid appid app gamename book bookid isbn course courseid content contentid " +
    "programid program showid show creativeid adid postid noteid target targetid entity entityid itemnum streamer " +
    "streamerid host hostid artist artistid artistname business businessid recipeid pid gid mid sid object url page",
  kind:
    "eventtype event eventname action actiontype behavior behaviour behaviortype behaviourtype interaction " +
    "interactiontype activity activitytype type kind verb operation op",
  duration:
    "watchtime watchms watchseconds watchduration watched playtime playms playduration playedms playseconds viewtime " +
    "viewduration viewingtime dwell dwelltime dwellms duration durationms durationsec seconds minutes hours timespent stay " +
    "staytime listentime listenms msplayed engagementtimemsec playtimeforever hoursplayed watchminutes watchlength length",
  rating: "rating ratings stars star score rate overall grade vote ratingvalue reviewscore feedback",
  amount: "price amount revenue value total cost sum spent paid sales gmv unitprice totalprice bits usd eur",
  position: "position pos rank slot index place",
  message: "message text body chat comment msg content review reviewtext danmaku",
  streamer: "streamer streamerid host hostid broadcaster broadcasterid author authorid creator creatorid owner channel",
  category: "category categoryname categorycode categoryid game gamename genre area areaname topic section",
  title: "title streamtitle roomtitle name livetitle",
  tags: "tags labels keywords genres",
  language: "language lang locale",
};

/** Units at the end of names. */
const UNIT = /^(?:ns|us|ms|msec|millis|s|sec|secs|seconds|min|mins|minutes|h|hr|hours|utc)$/;

/** How well a name fits a role: 1 for the surest one, 0 for none. */
export function nameFit({ words: all }: Facts, role: Role): number {
  const list = NAMES[role].split(" ");
  const words = all.length > 1 && UNIT.test(all.at(-1)!) ? all.slice(0, -1) : all;
  const at = Math.max(list.indexOf(all.join("")), list.indexOf(words.join("")));
  if (at >= 0) return 1 - (0.5 * at) / list.length;
  // Of a part of a name nothing says that it is a start or an end.
  if (role === "start" || role === "end") return 0;
  // A unit at its end, or a table before it: `watch_time_ms`, `event.user.id`, `fct_user_id`.
  for (let length = words.length - 1; length >= 1; length--) {
    const [tail, head] = [list.indexOf(words.slice(-length).join("")), list.indexOf(words.slice(0, length).join(""))];
    const found = Math.max(tail, head);
    if (found >= 0) return 0.45 - (0.2 * found) / list.length - 0.05 * (words.length - length);
  }
  return 0;
}

/** Whether the values of a column can be those of a role, and how well they fit. */
function valueFit(facts: Facts, role: Role, rows: number): number {
  const { count, distinct, isNumber, isFlag, isList, time, min, max, values } = facts;
  if (count === 0) return 0;
  switch (role) {
    case "time":
    case "start":
    case "end":
      return time === undefined ? 0 : 1;
    case "user":
    case "stream":
      if (isList || (isFlag && rows > 4) || (time !== undefined && !isNumber)) return 0;
      if (isNumber && !values.every((value) => value === undefined || /^\d+$/.test(String(value)))) return 0;
      return 0.6 + (distinct > 1 ? 0.4 : 0);
    case "kind":
      return isList || distinct > 60 || (distinct > 12 && distinct > rows / 4) ? 0 : isNumber ? 0.5 : 1;
    case "duration":
      return (isNumber && time === undefined && min >= 0 && !isFlag) || isClock(facts) ? 1 : 0;
    case "rating":
      return isNumber && !isFlag && max <= 100 && min >= -10 ? 1 : 0;
    case "amount":
      return isNumber && min >= 0 && time === undefined ? 1 : 0;
    case "position":
      return isNumber && min >= 0 && max <= 10_000 ? 1 : 0;
    case "message":
      return isNumber || isList ? 0 : 1;
    case "tags":
      return isNumber ? 0 : 1;
    default:
      return isList || isFlag || time !== undefined ? 0 : 1;
  }
}

function isClock({ values }: Facts): boolean {
  const there = values.filter((value) => value !== undefined);
  return (
    there.length > 0 && there.every((value) => /^(?:\d+ days? )?\d{1,3}:[0-5]\d:[0-5]\d(?:\.\d+)?$/.test(String(value)))
  );
}

/** A column for a role, with the others that could be it. */
export interface Choice {
  facts: Facts;
  /** Above .5 the name says it. */
  fit: number;
  others: Facts[];
}

export type Roles = Partial<Record<Role, Choice>>;

/** The order in which roles choose: who comes first takes a column from those after. */
const ORDER: readonly Role[] = [
  ...(["kind", "user", "stream", "start", "end", "time", "duration", "rating", "amount", "position"] as const),
  ...(["message", "streamer", "category", "title", "tags", "language"] as const),
];

/** Columns by role: by their names, where the values allow it. */
export function rolesOf(columns: readonly Facts[], rows: number): Roles {
  const roles: Roles = {};
  const taken = new Set<Facts>();
  for (const role of ORDER) {
    const fits = columns
      .filter((facts) => !taken.has(facts))
      .map((facts) => ({ facts, fit: nameFit(facts, role) * valueFit(facts, role, rows) }))
      .filter(({ fit }) => fit > 0.1)
      .sort((a, b) => b.fit - a.fit);
    const [one, ...others] = fits;
    if (one === undefined) continue;
    roles[role] = { ...one, others: others.filter(({ fit }) => fit > 0.3).map(({ facts }) => facts) };
    taken.add(one.facts);
  }
  byValues(
    roles,
    columns.filter((facts) => !taken.has(facts)),
    rows,
  );
  return roles;
}

/** Fills the roles without which no event is, from values alone: of files whose columns have no telling names. */
function byValues(roles: Roles, rest: readonly Facts[], rows: number): void {
  let free = [...rest];
  const take = (role: Role, suits: (facts: Facts) => number) => {
    if (roles[role] !== undefined) return;
    const fits = free.map((facts) => ({ facts, fit: suits(facts) })).filter((one) => one.fit > 0);
    const [one, ...others] = fits.sort((a, b) => b.fit - a.fit);
    if (one === undefined) return;
    roles[role] = { facts: one.facts, fit: 0.2, others: others.map(({ facts }) => facts) };
    free = free.filter((facts) => facts !== one.facts);
  };
  if (roles.start === undefined) take("time", ({ time }) => (time === undefined ? 0 : time.isSorted ? 2 : 1));
  const isUnnamed = rest.length > 0 && rest.every(({ name }) => /^column\d+$/.test(name));
  if (!isUnnamed) return;
  const isId = (facts: Facts) => valueFit(facts, "user", rows) > 0.6 && facts.distinct > 1 && !facts.isFlag;
  take("kind", (facts) =>
    !facts.isNumber && facts.distinct > 1 && facts.distinct <= 12 && rows > 24 ? 1 / facts.distinct : 0,
  );
  // The first two columns of ids are user and item in nearly every file that has no header.
  take("user", (facts) => (isId(facts) ? 1 / (1 + rest.indexOf(facts)) : 0));
  take("stream", (facts) => (isId(facts) ? 1 / (1 + rest.indexOf(facts)) : 0));
  take("rating", ({ isNumber, distinct, min, max }) =>
    isNumber && distinct <= 21 && min >= 0 && max <= 10 && distinct > 2 ? 1 : 0,
  );
}
