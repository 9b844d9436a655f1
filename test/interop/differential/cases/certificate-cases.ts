import {
  AUTHORITY_KEYS,
  type AuthorityName,
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

const AUTHORITIES = Object.keys(AUTHORITY_KEYS) as AuthorityName[];
const KEYS = (Object.keys(USER_KEYS) as UserKeyName[]).filter((key) => key !== "other");
const NOBODY = ["-I", "alice", "-z", "7"] as const;

/** A certificate of an Ed25519 key by an Ed25519 authority, where nothing else is said. */
function certified(
  dimension: string,
  title: string,
  options: readonly string[],
  trust: Trust,
  { authority = "ca-ed25519", ...rest }: Partial<LoginCase> & { readonly authority?: AuthorityName } = {},
): LoginCase {
  return { dimension, title, key: "ed25519", certificate: { authority, options }, trust, ...rest };
}

/** The ways to trust an authority. */
const TRUSTS: Readonly<Record<string, Trust>> = {
  "a line": authorityLine(),
  trusted: trustedAuthority(),
  principals: principalLines(USER),
};

const everyTrust = (make: (name: string, trust: Trust) => LoginCase): LoginCase[] =>
  Object.entries(TRUSTS).map(([name, trust]) => make(name, trust));

const TYPES: readonly LoginCase[] = [
  ...KEYS.map((key) => certified("key × authority", `${key} by ca-ed25519`, NAMED, authorityLine(), { key })),
  ...AUTHORITIES.flatMap((authority) => [
    certified("key × authority", `by ${authority}, a line`, NAMED, authorityLine("", authority), { authority }),
    certified("key × authority", `by ${authority}, trusted`, NAMED, trustedAuthority(authority), {
      authority,
      key: "ecdsa256",
    }),
  ]),
  ...["rsa-sha2-256", "rsa-sha2-512", "ssh-rsa"].flatMap((algorithm) =>
    (["ed25519", "rsa2048"] as const).map((key) =>
      certified(
        "key × authority",
        `${key} by ca-rsa2048 with ${algorithm}`,
        [...NAMED, "-t", algorithm],
        trustedAuthority("ca-rsa2048"),
        {
          authority: "ca-rsa2048",
          key,
        },
      ),
    ),
  ),
  ...["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"].map((algorithm) =>
    certified("key × authority", `rsa3072 proves with ${algorithm}`, NAMED, trustedAuthority(), {
      key: "rsa3072",
      algorithm,
    }),
  ),
];

const NAMES: Readonly<Record<string, readonly string[]>> = {
  "no names": NOBODY,
  "the user": NAMED,
  another: [...NOBODY, "-n", "another"],
  "the user and others": [...NOBODY, "-n", `one,${USER},two`],
  "the user in capitals": [...NOBODY, "-n", USER.toUpperCase()],
  "a wildcard": [...NOBODY, "-n", "*"],
  "part of the name": [...NOBODY, "-n", USER.slice(0, -1)],
};

const NAME_TRUSTS: Readonly<Record<string, Trust>> = {
  "a line": authorityLine(),
  "a line for another and one": authorityLine('principals="another,one"'),
  "a line for *": authorityLine('principals="*"'),
  trusted: trustedAuthority(),
  "principals another and one": principalLines("another\none"),
  "principals *": principalLines("*"),
  "no principals": principalLines(""),
};

const PRINCIPAL_CASES = Object.entries(NAMES).flatMap(([names, options]) =>
  Object.entries(NAME_TRUSTS).map(([title, trust]) => certified("principals", `${names}, ${title}`, options, trust)),
);

const VALIDITY = [
  "20200101:20200102",
  "29990101:29990102",
  "always:forever",
  "20200101:forever",
  "always:29990101",
  "-1d:+1d",
  "-2d:-1d",
  "+1d:+2d",
  "always:20200101",
];

const VALIDITY_CASES = VALIDITY.flatMap((interval) =>
  everyTrust((name, trust) => certified("validity", `${interval}, ${name}`, [...NAMED, "-V", interval], trust)),
);

/** Options of `ssh-keygen -s`, each after `-O`. */
export const OPTION_SETS: readonly (readonly string[])[] = [
  ["clear"],
  ["clear", "permit-pty"],
  ["clear", "permit-port-forwarding"],
  ["no-pty"],
  ["no-port-forwarding"],
  ["no-x11-forwarding", "no-agent-forwarding", "no-user-rc"],
  ["force-command=echo forced"],
  ["force-command=echo forced", "clear"],
  ["critical:force-command="],
  ["source-address=127.0.0.0/8"],
  ["source-address=10.0.0.0/8,127.0.0.1"],
  ["source-address=127.0.0.1/32,::1/128"],
  ["source-address=10.0.0.0/8"],
  ["source-address=::1/128"],
  ["critical:source-address="],
  ["critical:source-address=127.0.0.1,"],
  ["critical:source-address=127.0.0.1/33"],
  ["critical:source-address=127.0.0.1/8"],
  ["critical:source-address=127.*"],
  ["critical:source-address=!10.0.0.0/8,127.0.0.1"],
  ["critical:source-address=localhost"],
  ["critical:source-address=127.0.0.1, 10.0.0.1"],
  ["critical:source-address=::ffff:127.0.0.1"],
  ["critical:source-address=::ffff:127.0.0.1,127.0.0.1"],
  ["critical:source-address=::ffff:127.0.0.0/104"],
  ["critical:source-address=::ffff:127.0.0.0/8"],
  ["critical:source-address=::/0"],
  ["critical:source-address=0.0.0.0/0"],
  ["critical:source-address"],
  ["critical:force-command"],
  ["critical:verify-required=yes"],
  ["verify-required"],
  ["no-touch-required"],
  ["critical:unknown"],
  ["critical:unknown@example.com=value"],
  ["critical:permit-pty"],
  ["extension:unknown"],
  ["extension:unknown@example.com=value"],
  ["extension:force-command=echo forced"],
  ["extension:source-address=10.0.0.0/8"],
  ["extension:permit-pty=yes"],
  ["clear", "extension:permit-pty", "extension:permit-port-forwarding"],
];

const optionArguments = (options: readonly string[]) => options.flatMap((option) => ["-O", option]);

const OPTION_CASES = OPTION_SETS.flatMap((options) =>
  ["a line", "trusted"].map((name) =>
    certified(
      "critical options and extensions",
      `${options.join(", ")}; ${name}`,
      [...NAMED, ...optionArguments(options)],
      TRUSTS[name] ?? {},
    ),
  ),
);

/** Options of the authority's line, or of the line of the principal. */
const LINE_OPTIONS = [
  "restrict",
  "restrict,pty",
  "no-pty",
  'command="echo forced"',
  'command="echo other"',
  'from="127.0.0.1"',
  'from="10.0.0.1"',
  'permitopen="127.0.0.1:1"',
  "no-port-forwarding",
  'expiry-time="20200101"',
  "unknown",
];

const COMBINED_CASES = [
  [],
  ["force-command=echo forced"],
  ["clear", "permit-pty"],
  ["source-address=127.0.0.1"],
].flatMap((options) =>
  LINE_OPTIONS.flatMap((line) => {
    const title = `${options.join(", ") || "nothing"} in the certificate, ${line}`;
    const all = [...NAMED, ...optionArguments(options)];
    return [
      certified("options of both", `${title}, a line`, all, authorityLine(line)),
      certified("options of both", `${title}, principals`, all, principalLines(`${line} ${USER}`)),
    ];
  }),
);

const MISUSES = [
  ...everyTrust((name, trust) => certified("misuse", `a host's certificate, ${name}`, [...NAMED, "-h"], trust)),
  ...everyTrust((name, trust) =>
    certified("misuse", `proven with another key, ${name}`, NAMED, trust, { signer: "other" }),
  ),
  ...everyTrust((name, trust) =>
    certified("misuse", `by another authority, ${name}`, NAMED, trust, { authority: "ca-other" }),
  ),
  certified("misuse", "the authority is listed as a key", NAMED, { authorizedKeys: "{ca-ed25519}\n" }),
  certified("misuse", "the key is listed, the authority is not", NAMED, plainLine("ed25519")),
  certified("misuse", "nothing is listed", NAMED, {}),
  certified("misuse", "another name in the file of principals", NAMED, principalLines("another")),
  certified("misuse", "principals in a line without cert-authority", NAMED, {
    authorizedKeys: `principals="${USER}" {ca-ed25519}\n`,
  }),
  certified("misuse", "a bad line before the authority's", NAMED, {
    authorizedKeys: "unknown,cert-authority {ca-ed25519}\ncert-authority {ca-ed25519}\n",
  }),
  certified("misuse", "an authority among others", NAMED, {
    trustedUserCAKeys: "{ca-other}\n# ours\n{ca-ecdsa256}\n{ca-ed25519}\n",
  }),
  certified("misuse", "trusted for another, a line for the user", NAMED, {
    ...principalLines("another"),
    ...authorityLine(),
  }),
  certified("misuse", "under the name of another type of certificate", NAMED, trustedAuthority(), {
    algorithm: "ecdsa-sha2-nistp256",
  }),
];

const SERIALS = ["0", "1", "9223372036854775808", "18446744073709551615"].map((serial) =>
  certified("serials and ids", `number ${serial}`, ["-I", "alice", "-z", serial, "-n", USER], trustedAuthority()),
);
const IDS = ["", "with spaces", "übermut", "x".repeat(500), "a\tb"].map((id) =>
  certified("serials and ids", `id ${JSON.stringify(id.slice(0, 20))}`, ["-I", id, "-n", USER], trustedAuthority()),
);

/** Certificates, and what is said of their authorities. */
export const CERTIFICATE_CASES: readonly LoginCase[] = [
  ...TYPES,
  ...PRINCIPAL_CASES,
  ...VALIDITY_CASES,
  ...OPTION_CASES,
  ...COMBINED_CASES,
  ...MISUSES,
  ...SERIALS,
  ...IDS,
];
