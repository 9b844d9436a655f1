import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { makeFolderOnce } from "./run-folder.js";
import { runOk } from "./tools.js";

export const KEY_TYPES = ["ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa"] as const;
export type KeyType = (typeof KEY_TYPES)[number];

const KEYGEN_PARAMETERS: Readonly<Record<KeyType, readonly string[]>> = {
  ed25519: ["-t", "ed25519"],
  ecdsa256: ["-t", "ecdsa", "-b", "256"],
  ecdsa384: ["-t", "ecdsa", "-b", "384"],
  ecdsa521: ["-t", "ecdsa", "-b", "521"],
  rsa: ["-t", "rsa", "-b", "3072"],
};

/** User keys made by `ssh-keygen`, and the same keys as PuTTY and Dropbear store them. Made once per run. */
export class ClientKeys {
  /** Path of a private key in OpenSSH format; the public one lies beside it with `.pub`. */
  openssh(type: KeyType): Promise<string> {
    return this.#once(type, async (file) => {
      await runOk("ssh-keygen", ["-q", "-N", "", "-C", "test", ...KEYGEN_PARAMETERS[type], "-f", file]);
    });
  }

  /** In the format of OpenSSL, which there is for ECDSA and RSA. */
  pem(type: KeyType): Promise<string> {
    return this.#once(`${type}.pem`, async (file) => {
      await copyFile(await this.openssh(type), file);
      await runOk("ssh-keygen", ["-q", "-p", "-N", "", "-m", "PEM", "-f", file]);
    });
  }

  putty(type: KeyType): Promise<string> {
    return this.#once(`${type}.ppk`, async (file) => {
      await runOk("puttygen", [await this.openssh(type), "-O", "private", "--new-passphrase", "/dev/null", "-o", file]);
    });
  }

  dropbear(type: KeyType): Promise<string> {
    return this.#once(`${type}.dropbear`, async (file) => {
      await runOk("dropbearconvert", ["openssh", "dropbear", await this.openssh(type), file]);
    });
  }

  /** Fingerprint as `ssh-keygen -l` prints it. */
  async fingerprint(type: KeyType): Promise<string> {
    const file = await this.#once(`${type}.fingerprint`, async (made) => {
      const [, fingerprint = ""] = (await runOk("ssh-keygen", ["-lf", await this.openssh(type)])).split(" ");
      await writeFile(made, fingerprint);
    });
    return readFile(file, "utf8");
  }

  async publicLine(type: KeyType): Promise<string> {
    return readFile(`${await this.openssh(type)}.pub`, "utf8");
  }

  async #once(name: string, make: (file: string) => Promise<void>): Promise<string> {
    const folder = join(inject("runFolder"), `client-${name}`);
    await makeFolderOnce(folder, (made) => make(join(made, name)));
    return join(folder, name);
  }
}
