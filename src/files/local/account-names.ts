import { readFile, stat } from "node:fs/promises";

/** Names of users or groups by their numbers, from a file like passwd(5) or group(5). */
export class AccountNames {
  readonly #path: string;
  #names: ReadonlyMap<number, string> = new Map();
  /** Tells whether the file is still the one that was read. */
  #version = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** In the order of `ids`; `undefined` for those that the file does not name, for all if it cannot be read. */
  async find(ids: readonly number[]): Promise<(string | undefined)[]> {
    await this.#update().catch(() => this.#forget());
    return ids.map((id) => this.#names.get(id));
  }

  async #update(): Promise<void> {
    const { ino, size, mtimeMs } = await stat(this.#path);
    const version = `${ino}:${size}:${mtimeMs}`;
    if (version === this.#version) return;
    this.#names = parseAccounts(await readFile(this.#path, "utf8"));
    this.#version = version;
  }

  #forget(): void {
    this.#names = new Map();
    this.#version = "";
  }
}

/** `name:password:number:…` a line; the first line with a number names it. */
function parseAccounts(text: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , id] = line.split(":");
    if (name === undefined || id === undefined || !/^\d+$/.test(id)) continue;
    if (!names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
