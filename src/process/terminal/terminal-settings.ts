import { platform } from "node:process";

/** Arguments of stty(1), which the tests try with those of GNU and of BusyBox, by the modes of RFC 4254 §8. */
const FLAGS: ReadonlyMap<string, string> = new Map([
  ["IGNPAR", "ignpar"],
  ["PARMRK", "parmrk"],
  ["INPCK", "inpck"],
  ["ISTRIP", "istrip"],
  ["INLCR", "inlcr"],
  ["IGNCR", "igncr"],
  ["ICRNL", "icrnl"],
  ["IXON", "ixon"],
  ["IXANY", "ixany"],
  ["IXOFF", "ixoff"],
  ["IMAXBEL", "imaxbel"],
  ["IUTF8", "iutf8"],
  ["ISIG", "isig"],
  ["ICANON", "icanon"],
  ["ECHO", "echo"],
  ["ECHOE", "echoe"],
  ["ECHOK", "echok"],
  ["ECHONL", "echonl"],
  ["NOFLSH", "noflsh"],
  ["TOSTOP", "tostop"],
  ["IEXTEN", "iexten"],
  ["ECHOCTL", "echoctl"],
  ["ECHOKE", "echoke"],
  ["OPOST", "opost"],
  ["ONLCR", "onlcr"],
  ["OCRNL", "ocrnl"],
  ["ONOCR", "onocr"],
  ["ONLRET", "onlret"],
  ...(platform === "linux"
    ? ([
        ["IUCLC", "iuclc"],
        ["XCASE", "xcase"],
        ["OLCUC", "olcuc"],
      ] as const)
    : []),
]);

const CHARACTERS: ReadonlyMap<string, string> = new Map([
  ["VINTR", "intr"],
  ["VQUIT", "quit"],
  ["VERASE", "erase"],
  ["VKILL", "kill"],
  ["VEOF", "eof"],
  ["VEOL", "eol"],
  ["VEOL2", "eol2"],
  ["VSTART", "start"],
  ["VSTOP", "stop"],
  ["VSUSP", "susp"],
  ["VREPRINT", "rprnt"],
  ["VWERASE", "werase"],
  ["VLNEXT", "lnext"],
  ...(platform === "linux"
    ? ([
        ["VDISCARD", "flush"],
        ["VSWTCH", "swtch"],
      ] as const)
    : ([
        ["VDISCARD", "discard"],
        ["VDSUSP", "dsusp"],
        ["VSTATUS", "status"],
      ] as const)),
]);

/** Bits per second; a terminal has one of few speeds. */
const SPEEDS = [
  50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400,
];

/**
 * The arguments with which stty(1) gives a terminal the modes of a client; none of the client's text is in them. A pseudo-terminal has
 * one speed, and neither parity nor characters of seven bits.
 */
export function terminalSettings(modes: ReadonlyMap<string, number>): string[] {
  const settings: string[] = [];
  for (const [mode, value] of modes) {
    const flag = FLAGS.get(mode);
    const character = CHARACTERS.get(mode);
    if (flag !== undefined) settings.push(value === 0 ? `-${flag}` : flag);
    else if (character !== undefined) settings.push(character, characterArgument(value));
  }
  const speed = modes.get("TTY_OP_OSPEED");
  if (speed !== undefined && SPEEDS.includes(speed)) settings.push(String(speed));
  return settings;
}

/** 255 stands for no character (RFC 4254 §8), and so does 0 on Linux. Each stty understands a caret, and a decimal number of two digits. */
function characterArgument(value: number): string {
  if (value === 0 || value >= 255) return "undef";
  if (value < 32) return `^${String.fromCharCode(value + 64)}`;
  return value === 127 ? "^?" : String(value);
}
