/** The peers, and how they are started. */
import { join, resolve } from "node:path";
import { type Built, buildBlas, buildNative, buildWasm, compilers, hasAvx512, pythonWithTorch } from "./build.js";
import type { Comparison } from "./check.js";
import type { Shape } from "./data.js";
import { DATA, type Variant } from "./process.js";
import { OWN } from "./report.js";

export interface Peer {
  /** As in the names of cases. */
  name: PeerName;
  /** As tables and rows name it, with {} for its version. */
  label: string;
  comparison: Comparison;
  /** The forms in which it takes part in a shape; the fastest counts. None: it does not. */
  variants: (shape: Shape) => readonly Variant[];
  /** A note to its figures. */
  note?: string;
  /** Why it is not here. */
  missing?: string;
}

const HERE = import.meta.dirname;

/** All peers, in the order of the tables. LiveQ comes first. */
export const PEER_NAMES = [
  ...([OWN, "clang-wasm", "c-native", "c-avx2", "openblas", "pytorch", "onnxruntime-web", "jax-js"] as const),
  ...(["tfjs-wasm-by-hand", "tfjs-wasm", "tfjs-cpu", "plain", "convnetjs", "brain.js"] as const),
] as const;

export type PeerName = (typeof PEER_NAMES)[number];

/** Builds and finds all peers, in the order of their names. @param python - A Python that has PyTorch. */
export function peersWith({ python }: { python?: string }): Peer[] {
  const script = (module: string, name: string, word = name): Variant => ({
    name,
    command: process.execPath,
    words: [join(HERE, "serve.mjs"), `./js/${module}.mjs`, DATA, word],
  });
  const isDense = ({ nonZero }: Shape) => nonZero === undefined;
  const inJavaScript = (
    name: PeerName,
    label: string,
    module: string,
    variants: string[],
    more: Partial<Peer> = {},
  ) => ({
    ...{ name, label, comparison: "update" as const },
    variants: (shape: Shape) => (isDense(shape) ? variants.map((variant) => script(module, variant)) : []),
    ...more,
  });
  return [
    {
      name: OWN,
      label: "LiveQ {}",
      comparison: "update",
      variants: (shape) => [script("liveq", isDense(shape) ? "dense" : "indices")],
    },
    ...inC(script, isDense),
    torch(python),
    inJavaScript("onnxruntime-web", "onnxruntime-web {}", "onnx", [""], { comparison: "actions" }),
    inJavaScript("jax-js", "jax-js {}, Wasm", "jaxjs", [""]),
    inJavaScript("tfjs-wasm-by-hand", "tfjs {}, Wasm, gradient by hand", "tfjs", ["wasm by-hand"]),
    inJavaScript("tfjs-wasm", "tfjs {}, Wasm", "tfjs", ["wasm by-itself"]),
    inJavaScript("tfjs-cpu", "tfjs {}, JavaScript", "tfjs", ["cpu by-hand", "cpu by-itself"]),
    inJavaScript("plain", "plain JavaScript", "plain", [""]),
    inJavaScript("convnetjs", "convnetjs {}", "convnetjs", [""], { note: "has no Adam: that of plain JavaScript" }),
    inJavaScript("brain.js", "brain.js {}", "brainjs", [""], {
      comparison: "positive actions",
      note: "has ReLU at its outputs, the squared loss and an update for every row, so that only its choice of actions is checked",
    }),
  ];
}

/** The peers in C. */
function inC(
  script: (module: string, name: string, word: string) => Variant,
  isDense: (shape: Shape) => boolean,
): Peer[] {
  const { gcc, clang } = compilers();
  const found = [clang, gcc].filter((compiler) => compiler !== undefined);
  const peer = (name: PeerName, label: string, variants: readonly Variant[], missing: string): Peer => ({
    ...{ name, label, comparison: "update", variants: (shape) => (isDense(shape) ? variants : []) },
    ...(variants.length > 0 ? {} : { missing }),
  });
  const native = (name: PeerName, label: string, flags: readonly string[]) => {
    const built = found.map((compiler) => [compiler, buildNative(compiler, flags, name)] as const);
    const variants = built.flatMap(([compiler, it]) => ("file" in it ? [program(compiler, it.file)] : []));
    return peer(name, label, variants, reasons(built.map(([, it]) => it)) || "no C compiler");
  };
  const blas = buildBlas(gcc ?? clang);
  const wasm = buildWasm(clang);
  const isX64 = process.arch === "x64";
  return [
    peer(
      "clang-wasm",
      "the same algorithm in C, Wasm by {}",
      "file" in wasm ? [script("clang", "", resolve(wasm.file))] : [],
      reasons([wasm]),
    ),
    native("c-native", `the same algorithm in C, ${hasAvx512() ? "AVX-512" : "native"}, {}`, ["-march=native"]),
    ...(isX64 ? [native("c-avx2", "the same algorithm in C, AVX2, {}", ["-march=haswell", "-mtune=native"])] : []),
    peer("openblas", "textbook C, {}", "file" in blas ? withBlas(program("", blas.file)) : [], reasons([blas])),
  ];
}

function program(name: string, file: string): Variant {
  return { name, command: resolve(file), words: [DATA] };
}

/** With the kernels that OpenBLAS chooses, and with those for AVX-512: it may be older than the processor. */
function withBlas(variant: Variant): Variant[] {
  if (!hasAvx512()) return [variant];
  const name = [variant.name, "OPENBLAS_CORETYPE=SKYLAKEX"].filter(Boolean).join(" ");
  return [variant, { ...variant, name, env: { OPENBLAS_CORETYPE: "SKYLAKEX" } }];
}

function reasons(built: readonly Built[]): string {
  return built.flatMap((it) => ("missing" in it ? [it.missing] : [])).join("; ");
}

function torch(given?: string): Peer {
  const python = pythonWithTorch(given);
  const variants = ({ nonZero }: Shape) => {
    const adams = ["foreach", "loop", "fused"];
    const names = nonZero === undefined ? adams : [...adams, "bag foreach", "bag loop"];
    const file = join(HERE, "python", "torch_peer.py");
    return names.flatMap((name) => withBlas({ name, command: python!, words: [file, DATA, name] }));
  };
  return {
    name: "pytorch",
    label: "PyTorch {}",
    comparison: "update",
    variants: python ? variants : () => [],
    ...(python ? {} : { missing: "no Python that has it" }),
  };
}
