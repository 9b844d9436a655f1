import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificateNameOf } from "../../../../src/crypto/certificates/certificate-names.js";
import { PKey } from "../../../../src/crypto/index.js";
import { Writer } from "../../../../src/protocol/writer.js";
import { isMissing, TOOLS } from "../../../support/clients.js";
import { SoftwareSecurityKey, USER_PRESENT, USER_VERIFIED } from "../../../support/security-key.js";
import type { SshdFiles } from "../../../support/sshd-oracle.js";
import { runOk } from "../../../support/tools.js";
import {
  AUTHORITY_KEYS,
  type CertificatePlan,
  type LoginCase,
  type Revocation,
  USER_KEYS,
  type UserKeyName,
} from "./login-case.js";

/** What a client sends to log in. */
export interface Credential {
  readonly algorithm: string;
  readonly publicBlob: Buffer;
  sign(data: Buffer): Buffer | Promise<Buffer>;
}

type Signer = (data: Buffer, algorithm: string | undefined, flags: number | undefined) => Buffer;

const HASHES: Readonly<Record<string, string>> = {
  "ssh-rsa": "sha1",
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
};

/** Keys, certificates and lists of revoked keys that `ssh-keygen` makes in a folder. */
export class KeygenKeys {
  readonly #folder: string;
  readonly #provider: string;
  readonly #signers = new Map<UserKeyName, Signer>();
  readonly #certificates = new Map<string, string>();

  /** @param provider a library of `securityKeyProvider` */
  constructor(folder: string, provider: string) {
    this.#folder = folder;
    this.#provider = provider;
  }

  async makeAll(): Promise<void> {
    const entries = Object.entries({ ...USER_KEYS, ...AUTHORITY_KEYS });
    await Promise.all(
      entries.map(([name, options]) =>
        this.#keygen("ssh-keygen", "-N", "", "-C", name, ...options, "-f", this.path(name)),
      ),
    );
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** The certificate's file, made at the first call. */
  async certificate(key: UserKeyName, plan: CertificatePlan): Promise<string> {
    const id = JSON.stringify([key, plan]);
    const known = this.#certificates.get(id);
    if (known !== undefined) return known;
    const number = this.#certificates.size;
    const path = this.path(`certificate-${number}.pub`);
    this.#certificates.set(id, path);
    const copy = this.path(`certificate-${number}.key`);
    copyFileSync(this.path(`${key}.pub`), `${copy}.pub`);
    // Every other one by the newer program, which has no helper for FIDO keys beside it.
    const isNewer = number % 2 === 1 && !plan.authority.includes("-sk") && !isMissing("ssh-keygen10");
    const tool = isNewer ? "ssh-keygen10" : "ssh-keygen";
    await this.#keygen(tool, "-s", this.path(plan.authority), ...plan.options, `${copy}.pub`);
    renameSync(`${copy}-cert.pub`, path);
    return path;
  }

  async credential(login: LoginCase): Promise<Credential> {
    const { key, certificate, algorithm, flags, signer = key } = login;
    const file = certificate === undefined ? this.path(`${key}.pub`) : await this.certificate(key, certificate);
    const [, base64 = ""] = readFileSync(file, "utf8").split(" ");
    const sign = this.#signer(signer);
    const plain = algorithm ?? this.#defaultAlgorithm(key);
    return {
      algorithm: certificate === undefined ? plain : certificateNameOf(plain),
      publicBlob: Buffer.from(base64, "base64"),
      sign: (data) => sign(data, algorithm, flags),
    };
  }

  /** What sshd is to read for this login. */
  async filesFor({ key, certificate, trust, revoked }: LoginCase): Promise<SshdFiles> {
    const path = certificate === undefined ? undefined : await this.certificate(key, certificate);
    return {
      ...Object.fromEntries(Object.entries(trust).map(([name, text]) => [name, this.#expand(text, path)])),
      ...(revoked && { revokedKeys: await this.#revocationList(revoked, path) }),
    };
  }

  async #revocationList(revoked: Revocation, certificate: string | undefined): Promise<string | Buffer> {
    if ("text" in revoked) return this.#expand(revoked.text, certificate);
    const { specification, scope, file } = revoked;
    const list = this.path("list.krl");
    const lines = specification.map((line) => this.#expand(line, certificate));
    writeFileSync(`${list}.spec`, `${lines.join("\n")}\n`);
    const about = scope === undefined ? [] : ["-s", scope === "none" ? scope : this.path(`${scope}.pub`)];
    const whole = file === "certificate" ? certificate : file && this.path(`${file}.pub`);
    await this.#keygen(
      "ssh-keygen",
      "-k",
      "-f",
      list,
      ...about,
      `${list}.spec`,
      ...(whole === undefined ? [] : [whole]),
    );
    return readFileSync(list);
  }

  #expand(text: string, certificate: string | undefined): string {
    return text.replace(/\{([\w-]+)\}/g, (_, name: string) => {
      const file = name === "certificate" ? certificate : this.path(`${name}.pub`);
      if (file === undefined) throw new Error("there is no certificate");
      return readFileSync(file, "utf8").trimEnd();
    });
  }

  #defaultAlgorithm(key: UserKeyName): string {
    const [type = ""] = readFileSync(this.path(`${key}.pub`), "utf8").split(" ");
    return type === "ssh-rsa" ? "rsa-sha2-512" : type;
  }

  #signer(key: UserKeyName): Signer {
    const signer = this.#signers.get(key) ?? makeSigner(key, this.path(key));
    this.#signers.set(key, signer);
    return signer;
  }

  async #keygen(tool: "ssh-keygen" | "ssh-keygen10", ...parameters: readonly string[]): Promise<void> {
    const environment = { SSH_ASKPASS_REQUIRE: "force", SSH_ASKPASS: "/bin/true" };
    const all = ["-q", ...(tool === "ssh-keygen" ? ["-w", this.#provider] : []), ...parameters];
    await runOk(TOOLS[tool], all, { environment, timeout: 60_000 });
  }
}

function makeSigner(key: UserKeyName, path: string): Signer {
  if (key.includes("-sk")) {
    const securityKey = SoftwareSecurityKey.fromFile(path);
    const usual = flagsOf(key);
    return (data, _algorithm, flags = usual) => securityKey.sign(data, { flags });
  }
  const text = readFileSync(path, "utf8");
  if (key.startsWith("rsa")) {
    const privateKey = createPrivateKey(text);
    return (data, algorithm = "rsa-sha2-512") => signWithRsa(data, privateKey, algorithm);
  }
  const plain = PKey.fromString(text);
  return (data) => plain.sign(data);
}

function flagsOf(key: UserKeyName): number {
  if (key.endsWith("-untouched")) return 0;
  return key.endsWith("-verified") ? USER_PRESENT | USER_VERIFIED : USER_PRESENT;
}

/** With SHA-1, too, which this library does not do. */
function signWithRsa(data: Buffer, privateKey: KeyObject, algorithm: string): Buffer {
  const signature = sign(HASHES[algorithm] ?? "sha512", data, privateKey);
  return new Writer().writeString(algorithm).writeString(signature).toBuffer();
}
