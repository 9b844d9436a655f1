import { OPTION_SETS } from "./certificate-cases.js";
import {
  type AuthorityName,
  authorityLine,
  type LoginCase,
  principalLines,
  type Revocation,
  type Trust,
  trustedAuthority,
  USER,
  type UserKeyName,
} from "./login-case.js";

const KEYS: readonly UserKeyName[] = [
  "ed25519",
  "ecdsa256",
  "ecdsa384",
  "ecdsa521",
  "rsa2048",
  "ed25519-sk",
  "ecdsa-sk-untouched",
  "ed25519-sk-verified",
];
const AUTHORITIES: readonly AuthorityName[] = ["ca-ed25519", "ca-ecdsa384", "ca-rsa2048", "ca-ed25519-sk"];
const NAMES = often(
  5,
  [
    ["-n", USER],
    ["-n", `web,${USER}`],
  ],
  [["-n", "web"], []],
);
const VALIDITY = often(4, [[], ["-V", "-1d:+1d"]], [["-V", "20200101:20210101"]]);
const LINE_OPTIONS = [
  "",
  "",
  "restrict",
  'command="echo forced"',
  'from="127.0.0.0/8"',
  'principals="web"',
  "no-touch-required",
];
const PRINCIPAL_LINES = [
  USER,
  "web",
  `restrict ${USER}`,
  `command="echo forced" ${USER}`,
  `no-touch-required web`,
  "nobody",
];
const REVOCATIONS = often<Revocation | undefined>(
  5,
  [undefined],
  [
    { specification: ["serial: 2-4", "id: carol"], scope: "none" },
    { specification: ["sha256: {ca-ecdsa384}", "sha1: {ecdsa521}"] },
    { text: "{ca-ed25519-sk}\n{rsa2048}\n" },
  ],
);

/** Logins with something of everything, the same ones for the same seed. */
export function randomCases(count: number, seed: number): readonly LoginCase[] {
  const random = generator(seed);
  const one = <T>(list: readonly [T, ...T[]] | readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const trustIn = (authority: AuthorityName): Trust => {
    const options = one(LINE_OPTIONS);
    return one<Trust>([
      authorityLine(options, authority),
      authorityLine(options, authority),
      trustedAuthority(authority),
      { ...principalLines(one(PRINCIPAL_LINES)), ...trustedAuthority(authority) },
      random() < 0.3 ? authorityLine("", "ca-other") : trustedAuthority(authority),
    ]);
  };
  return Array.from({ length: count }, (_, index): LoginCase => {
    const authority = one(AUTHORITIES);
    const options = random() < 0.6 ? [] : one(OPTION_SETS).flatMap((option) => ["-O", option]);
    const words = [
      "-I",
      one(["alice", "bob", "carol"]),
      "-z",
      `${1 + (index % 6)}`,
      ...one(NAMES),
      ...one(VALIDITY),
      ...options,
    ];
    const revoked = one(REVOCATIONS);
    return {
      dimension: "random combinations",
      title: `random ${index}`,
      key: one(KEYS),
      certificate: { authority, options: words },
      trust: trustIn(authority),
      ...(revoked && { revoked }),
    };
  });
}

/** A list to choose from, in which the usual stands several times beside the rest. */
function often<T>(times: number, usual: readonly T[], rest: readonly T[]): readonly T[] {
  return [...Array.from({ length: times }, () => usual).flat(), ...rest];
}

/** Mulberry32: 32 bits of state are enough to choose from lists. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
