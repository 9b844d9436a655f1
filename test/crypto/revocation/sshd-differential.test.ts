import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { RevocationList } from "../../../src/crypto/revocation/revocation-list.js";
import { needs, TOOLS } from "../../support/clients.js";
import { SshdOracle } from "../../support/sshd-oracle.js";
import { runOk, temporaryFolder } from "../../support/tools.js";
import { fields } from "./krl-bytes.js";

const folder = temporaryFolder();
const list = join(folder, "revoked");
/** What logs in. */
const OFFERED = ["plain.pub", "certified-cert.pub"] as const;
const text = (name: string) => readFileSync(join(folder, name), "utf8");

/** An RSA key of 768 bits: too short for OpenSSH as for us. */
const SHORT = `ssh-rsa ${fields("ssh-rsa", Buffer.from([1, 0, 1]), Buffer.alloc(96, 0x7f)).toString("base64")}`;

const LISTS: Readonly<Record<string, () => string | Buffer>> = {
  "nothing at all": () => "",
  "remarks and empty lines": () => "# nobody\n\n \t\n\t# nobody\n",
  "the key": () => text("plain.pub"),
  "the key without a line end": () => text("plain.pub").trimEnd(),
  "the key behind blanks, after others": () => `# list\n${text("other.pub")}\n \t${text("plain.pub")}`,
  "another key": () => text("other.pub"),
  "the key that is certified": () => text("certified.pub"),
  "the certificate": () => text("certified-cert.pub"),
  "the key of the authority": () => text("authority.pub"),
  "a key that is too short": () => `${SHORT}\n${text("plain.pub")}`,
  "a word": () => `${text("other.pub")}hello\n`,
  "a key with options": () => `restrict ${text("other.pub")}`,
  "a key of an unknown type": () => `ssh-future ${fields("ssh-future", "x").toString("base64")}\n`,
  "a key of another type than it says": () => text("other.pub").replace("ssh-ed25519", "ecdsa-sha2-nistp256"),
  "half a key": () => text("other.pub").slice(0, 50),
  "a fingerprint": () => "SHA256:AAAA\n",
  "the start of a list": () => "SSHKRL\n",
  "a list cut short": () => readFileSync(join(folder, "krl")).subarray(0, -1),
  "a list with the certificate's number": () => readFileSync(join(folder, "krl")),
  "a list with a byte too many": () => Buffer.concat([readFileSync(join(folder, "krl")), Buffer.alloc(1)]),
};

describe("sshd with RevokedKeys", needs("sshd", "ssh-keygen"), () => {
  let sshd: SshdOracle | undefined;

  beforeAll(async () => {
    for (const name of ["plain", "certified", "authority", "other"]) {
      await runOk(TOOLS["ssh-keygen"], ["-q", "-N", "", "-t", "ed25519", "-C", name, "-f", join(folder, name)]);
    }
    const sign = ["-q", "-s", join(folder, "authority"), "-I", "id", "-z", "7", "-n", userInfo().username];
    await runOk(TOOLS["ssh-keygen"], [...sign, join(folder, "certified.pub")]);
    writeFileSync(join(folder, "spec"), "serial: 7\n");
    await runOk(TOOLS["ssh-keygen"], ["-k", "-q", "-f", join(folder, "krl"), "-s", "none", join(folder, "spec")]);
    sshd = await SshdOracle.start(folder, "sshd", [`RevokedKeys ${list}`]);
  }, 60_000);

  afterAll(() => sshd?.[Symbol.dispose]());

  /** Of a key and a certificate, whether sshd would let them in. */
  async function letIn(): Promise<boolean[]> {
    const files = { authorizedKeys: text("plain.pub"), trustedUserCAKeys: text("authority.pub") };
    const answers: boolean[] = [];
    for (const name of OFFERED) answers.push((await sshd?.offer(files, PKey.fromString(text(name)))) === "accepted");
    return answers;
  }

  /** Undefined when the list is refused, and so every key. */
  function ours(content: string | Buffer): RevocationList | undefined {
    try {
      return RevocationList.parse(content);
    } catch {
      return undefined;
    }
  }

  it.each(Object.entries(LISTS))("lets in the users whom we let in: %s", async (_, make) => {
    const content = make();
    writeFileSync(list, content);
    const parsed = ours(content);
    expect(await letIn()).toEqual(OFFERED.map((name) => parsed?.isRevoked(PKey.fromString(text(name))) === false));
  });

  it("lets nobody in without the file", async () => {
    rmSync(list, { force: true });
    expect(await letIn()).toEqual([false, false]);
  });
});
