import type { FileAttributes, FileType } from "../../files/file-system.js";
import { toMode } from "../codec/attributes.js";

const typeLetters: Readonly<Record<FileType, string>> = {
  file: "-",
  directory: "d",
  symlink: "l",
  fifo: "p",
  socket: "s",
  "character-device": "c",
  "block-device": "b",
  unknown: "?",
};

const RIGHTS = ["---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"] as const;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** Older files are shown with their year instead of the time of day, as `ls` does: half a year, seconds. */
const RECENT = 182.5 * 24 * 60 * 60;

/** A mode as `ls` writes it: `drwxr-xr-x`. */
export function formatMode(attributes: FileAttributes): string {
  const mode = toMode(attributes);
  const letters = `${typeLetters[attributes.type]}${rights(mode >> 6)}${rights(mode >> 3)}${rights(mode)}`;
  return (mode & 0o7000) === 0 ? letters : withSpecialBits(letters, mode);
}

function rights(mode: number): string {
  return RIGHTS[mode & 7] ?? "";
}

function withSpecialBits(letters: string, mode: number): string {
  const bits = [...letters];
  const special = (index: number, bit: number, letter: string) => {
    if (mode & bit) bits[index] = bits[index] === "x" ? letter : letter.toUpperCase();
  };
  special(3, 0o4000, "s");
  special(6, 0o2000, "s");
  special(9, 0o1000, "t");
  return bits.join("");
}

/**
 * Lines of `ls -l` without the name at their end (draft-ietf-secsh-filexfer-02 §7 shows the columns). Files of one directory have
 * much in common: what was made for the last one is used again.
 */
export class LongnameHeads {
  readonly #now: number;
  #last: FileAttributes | undefined;
  #user = "";
  #group = "";
  #modeToGroup = "";
  #minute = Number.NaN;
  #isRecent = false;
  #time = "";

  /** @param now seconds since 1970 */
  constructor(now: number) {
    this.#now = now;
  }

  of(attributes: FileAttributes, user: string, group: string): string {
    const isAsLast = user === this.#user && group === this.#group && haveSameMode(attributes, this.#last);
    if (!isAsLast) {
      this.#last = attributes;
      this.#user = user;
      this.#group = group;
      const links = String(attributes.links ?? 1).padStart(4);
      this.#modeToGroup = `${formatMode(attributes)} ${links} ${user.padEnd(8)} ${group.padEnd(8)}`;
    }
    return `${this.#modeToGroup} ${String(attributes.size).padStart(8)} ${this.#timeOf(attributes.modifyTime)} `;
  }

  #timeOf(seconds: number): string {
    const minute = Math.floor(seconds / 60);
    const isRecent = seconds <= this.#now && this.#now - seconds < RECENT;
    if (minute !== this.#minute || isRecent !== this.#isRecent) {
      this.#minute = minute;
      this.#isRecent = isRecent;
      this.#time = formatTime(new Date(seconds * 1000), isRecent);
    }
    return this.#time;
  }
}

function haveSameMode(one: FileAttributes, other: FileAttributes | undefined): boolean {
  return one.type === other?.type && one.permissions === other.permissions && one.links === other.links;
}

function formatTime(date: Date, isRecent: boolean): string {
  const day = `${months[date.getMonth()] ?? "Jan"} ${String(date.getDate()).padStart(2)}`;
  if (!isRecent) return `${day} ${String(date.getFullYear()).padStart(5)}`;
  return `${day} ${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}
