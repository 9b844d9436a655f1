import { createHash } from "node:crypto";
import { quoted } from "../crypto/keys/key-file.js";
import type { RevocableKey } from "../crypto/revocation/revocable-key.js";
import { RevocationList } from "../crypto/revocation/revocation-list.js";
import type { Logger } from "../protocol/logger.js";
import { type FileContent, fileVersion, readVersion } from "./file-version.js";

/** What one version of a file said. */
interface Reading {
  readonly mark: string;
  readonly fresh: boolean;
  readonly digest: string;
  /** Or why there is none. */
  readonly list: RevocationList | Error;
}

/** A file of revoked keys that is read again whenever it has changed. While it cannot be used, every key is revoked. */
export class RevokedKeysFile {
  readonly #path: string;
  readonly #maximumSize: number;
  readonly #logger: Logger;
  #latest: Reading | undefined;
  /** What the file said when it last was at rest. */
  #settled: RevocationList | undefined;
  #problem: string | undefined;
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;

  /** @param maximumSize bytes */
  constructor(path: string, maximumSize: number, logger: Logger) {
    this.#path = path;
    this.#maximumSize = maximumSize;
    this.#logger = logger;
  }

  async isRevoked(key: RevocableKey): Promise<boolean> {
    await this.refresh();
    if (this.#latest === undefined || this.#latest.list instanceof Error || this.#latest.list.isRevoked(key))
      return true;
    // A file that is being written is empty at first, which would be a list of nobody.
    return this.#latest.fresh && this.#settled?.isRevoked(key) === true;
  }

  /** Looks at the file after the call, once for all who ask while somebody looks. Never rejects. */
  refresh(): Promise<void> {
    if (this.#waiting !== undefined) return this.#waiting;
    if (this.#running === undefined) return this.#look();
    this.#waiting = this.#running.then(() => {
      this.#waiting = undefined;
      return this.#look();
    });
    return this.#waiting;
  }

  #look(): Promise<void> {
    this.#running = this.#readIfChanged().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #readIfChanged(): Promise<void> {
    try {
      const version = await fileVersion(this.#path);
      if (this.#latest?.mark === version.mark && !this.#latest.fresh) return;
      await this.#take(await readVersion(this.#path, this.#maximumSize));
    } catch (error) {
      this.#latest = undefined;
      this.#report(error instanceof Error ? error.message : String(error));
    }
  }

  async #take({ version, bytes }: FileContent): Promise<void> {
    const digest = createHash("sha256").update(bytes).digest("base64");
    const list = this.#latest?.digest === digest ? this.#latest.list : await parse(bytes);
    this.#latest = { ...version, digest, list };
    if (!version.fresh && !(list instanceof Error)) this.#settled = list;
    this.#report(list instanceof Error ? list.message : undefined);
  }

  /** Once for each problem, not for each login. */
  #report(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    const fields = { file: this.#path };
    if (problem === undefined) {
      this.#logger.info(fields, `the file of revoked keys ${quoted(this.#path)} can be used again`);
    } else {
      const message = `every key is refused, because the file of revoked keys ${quoted(this.#path)} cannot be used`;
      this.#logger.error(fields, `${message}: ${problem}`);
    }
  }
}

async function parse(bytes: Buffer): Promise<RevocationList | Error> {
  try {
    return await RevocationList.parseInTurns(bytes);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
