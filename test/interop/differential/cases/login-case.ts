import { userInfo } from "node:os";

/** A key that ssh-keygen makes, by type and bits; FIDO keys also by what they ask of their user. */
export const USER_KEYS = {
  ed25519: ["-t", "ed25519"],
  ecdsa256: ["-t", "ecdsa", "-b", "256"],
  ecdsa384: ["-t", "ecdsa", "-b", "384"],
  ecdsa521: ["-t", "ecdsa", "-b", "521"],
  rsa1024: ["-t", "rsa", "-b", "1024", "-m", "PEM"],
  rsa2048: ["-t", "rsa", "-b", "2048", "-m", "PEM"],
  rsa3072: ["-t", "rsa", "-b", "3072", "-m", "PEM"],
  "ed25519-sk": ["-t", "ed25519-sk"],
  "ed25519-sk-untouched": ["-t", "ed25519-sk", "-O", "no-touch-required"],
  "ed25519-sk-verified": ["-t", "ed25519-sk", "-O", "verify-required"],
  "ecdsa-sk": ["-t", "ecdsa-sk"],
  "ecdsa-sk-untouched": ["-t", "ecdsa-sk", "-O", "no-touch-required"],
  "ecdsa-sk-verified": ["-t", "ecdsa-sk", "-O", "verify-required"],
  /** Of whom nobody has heard. */
  other: ["-t", "ed25519"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export const AUTHORITY_KEYS = {
  "ca-ed25519": USER_KEYS.ed25519,
  "ca-ecdsa256": USER_KEYS.ecdsa256,
  "ca-ecdsa384": USER_KEYS.ecdsa384,
  "ca-ecdsa521": USER_KEYS.ecdsa521,
  "ca-rsa1024": ["-t", "rsa", "-b", "1024"],
  "ca-rsa2048": USER_KEYS.rsa2048,
  "ca-ed25519-sk": USER_KEYS["ed25519-sk"],
  "ca-ed25519-sk-untouched": USER_KEYS["ed25519-sk-untouched"],
  "ca-ecdsa-sk": USER_KEYS["ecdsa-sk"],
  "ca-other": USER_KEYS.ed25519,
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type UserKeyName = keyof typeof USER_KEYS;
export type AuthorityName = keyof typeof AUTHORITY_KEYS;

/** The user to log in as: `sshd` knows only the users of this machine. */
export const USER = userInfo().username;

export interface CertificatePlan {
  readonly authority: AuthorityName;
  /** Of `ssh-keygen -s`. */
  readonly options: readonly string[];
}

/** What a server is told of keys and authorities, as sshd's files have it. `{NAME}` stands for the public key of that name. */
export interface Trust {
  readonly authorizedKeys?: string;
  readonly trustedUserCAKeys?: string;
  readonly authorizedPrincipals?: string;
}

/**
 * A list of keys one a line, or a KRL as `ssh-keygen -k` makes it. `{NAME}` and `{certificate}` stand for the public key
 * and the certificate.
 */
export type Revocation =
  | { readonly text: string }
  | {
      readonly specification: readonly string[];
      /** The authority that it is about; `none` for every. */
      readonly scope?: AuthorityName | "none";
      /** What is revoked as a whole file. */
      readonly file?: "certificate" | UserKeyName | AuthorityName;
    };

/** One login, to be decided by sshd and by us. */
export interface LoginCase {
  /** The kind of question. */
  readonly dimension: string;
  readonly title: string;
  readonly key: UserKeyName;
  readonly certificate?: CertificatePlan;
  readonly trust: Trust;
  readonly revoked?: Revocation;
  /** What the signature is made with, in the name that a plain key has for it. */
  readonly algorithm?: string;
  /** The key that signs in place of `key`. */
  readonly signer?: UserKeyName;
  /** What a FIDO key says of its user, in place of what it was made for. */
  readonly flags?: number;
}

/** Options of `ssh-keygen -s` for a certificate of this user. */
export const NAMED = ["-I", "alice", "-z", "7", "-n", USER] as const;

/** A line of a plain key. */
export const plainLine = (key: UserKeyName, options = ""): Trust => ({
  authorizedKeys: `${options} {${key}}\n`.trimStart(),
});

export const authorityLine = (options = "", authority: AuthorityName = "ca-ed25519"): Trust => ({
  authorizedKeys: `cert-authority${options === "" ? "" : `,${options}`} {${authority}}\n`,
});

export const trustedAuthority = (authority: AuthorityName = "ca-ed25519"): Trust => ({
  trustedUserCAKeys: `{${authority}}\n`,
});

export const principalLines = (lines: string): Trust => ({ ...trustedAuthority(), authorizedPrincipals: `${lines}\n` });
