import {
  authorityLine,
  type LoginCase,
  NAMED,
  plainLine,
  principalLines,
  type Trust,
  trustedAuthority,
  USER,
  USER_KEYS,
  type UserKeyName,
} from "./login-case.js";

const KEYS = (Object.keys(USER_KEYS) as UserKeyName[]).filter((key) => key !== "other");
const SECURITY_KEYS = KEYS.filter((key) => key.includes("-sk"));
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;

const ALGORITHMS: readonly (readonly [UserKeyName, string])[] = [
  ["rsa2048", "rsa-sha2-512"],
  ["rsa2048", "rsa-sha2-256"],
  ["rsa3072", "rsa-sha2-256"],
  ["rsa2048", "ssh-rsa"],
  ["ed25519", "ssh-rsa"],
  ["ecdsa256", "ecdsa-sha2-nistp384"],
  ["ed25519-sk", "ssh-ed25519"],
];

const LINE_OPTIONS = [
  "restrict",
  "restrict,pty",
  "no-pty",
  "no-port-forwarding",
  'command="echo forced"',
  'command="echo forced",restrict,port-forwarding',
  'permitopen="127.0.0.1:1"',
  'permitopen="127.0.0.1:2"',
  'permitlisten="4711"',
  'from="127.0.0.1"',
  'from="!127.0.0.1,*"',
  'from="10.0.0.0/8"',
  'from="::ffff:127.0.0.1"',
  'from="::ffff:127.0.0.1,127.0.0.1"',
  'from="!::ffff:127.0.0.1,*"',
  'from="!10.0.0.1,127.*"',
  'expiry-time="20200101"',
  'expiry-time="29990101"',
  "verify-required",
  "no-touch-required",
] as const;

const keyCase = (title: string, key: UserKeyName, trust: Trust, rest: Partial<LoginCase> = {}): LoginCase => ({
  dimension: "plain keys",
  title,
  key,
  trust,
  ...rest,
});

/** Keys without certificates. */
export const KEY_CASES: readonly LoginCase[] = [
  ...KEYS.map((key) => keyCase(`${key}, listed`, key, plainLine(key))),
  ...KEYS.map((key) => keyCase(`${key}, not listed`, key, plainLine("other"))),
  ...KEYS.map((key) => keyCase(`${key}, signed with another`, key, plainLine(key), { signer: "other" })),
  ...ALGORITHMS.map(([key, algorithm]) => keyCase(`${key} with ${algorithm}`, key, plainLine(key), { algorithm })),
  ...LINE_OPTIONS.map((options) => keyCase(options, "ed25519", plainLine("ed25519", options))),
  keyCase("a key that is an authority", "ed25519", { authorizedKeys: "cert-authority {ed25519}\n" }),
  keyCase("a key that is trusted as an authority", "ed25519", { trustedUserCAKeys: "{ed25519}\n" }),
];

const TOUCH_OPTIONS = ["no-touch-required", "verify-required", "no-touch-required,verify-required"] as const;
const FLAGS = [0, USER_PRESENT, USER_VERIFIED, USER_PRESENT | USER_VERIFIED] as const;

const TOUCH_TRUSTS: Readonly<Record<string, Trust>> = {
  "a line": authorityLine(),
  "a line with no-touch-required": authorityLine("no-touch-required"),
  "a line with verify-required": authorityLine("verify-required"),
  "a trusted authority": trustedAuthority(),
  "principals with no-touch-required": principalLines(`no-touch-required ${USER}`),
  "principals with verify-required": principalLines(`verify-required ${USER}`),
};

/** What FIDO keys have to have done, by the key's line, its authority's, and its certificate. */
export const TOUCH_CASES: readonly LoginCase[] = [
  ...SECURITY_KEYS.flatMap((key) =>
    TOUCH_OPTIONS.map((options) => keyCase(`${key}, ${options}`, key, plainLine(key, options))),
  ),
  ...FLAGS.flatMap((flags) =>
    ["", ...TOUCH_OPTIONS].map((options) =>
      keyCase(`flags ${flags}, ${options}`, "ecdsa-sk", plainLine("ecdsa-sk", options), { flags }),
    ),
  ),
  ...Object.entries(TOUCH_TRUSTS).flatMap(([title, trust]) =>
    (["ed25519-sk", "ecdsa-sk-untouched", "ed25519-sk-verified"] as const).flatMap((key) =>
      [[], ["-O", "no-touch-required"], ["-O", "verify-required"]].map((options) =>
        keyCase(`${key}, ${options[1] ?? "nothing"} in the certificate, ${title}`, key, trust, {
          certificate: { authority: "ca-ed25519", options: [...NAMED, ...options] },
        }),
      ),
    ),
  ),
].map((one) => ({ ...one, dimension: "FIDO: touch and verification" }));
