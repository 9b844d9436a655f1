import { isUtf8 } from "node:buffer";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { hashPassword } from "../authenticators/index.js";
import { StartError } from "./errors.js";

/** Bytes; a client's password lies in one packet. */
const MAX_PASSWORD_LENGTH = 1024;

/**
 * `spindlex hash-password`: reads a password from standard input and prints its hash.
 *
 * @throws {StartError} when the password is empty or could not be typed
 */
export async function printPasswordHash(): Promise<void> {
  const password = process.stdin.isTTY === true ? await askTwice() : await readAll();
  if (password === "") throw new StartError("the password is empty");
  if (/\p{Cc}/u.test(password)) throw new StartError("the password is not one line of text");
  process.stdout.write(`${await hashPassword(password)}\n`);
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_PASSWORD_LENGTH) throw new StartError(`the password is over ${MAX_PASSWORD_LENGTH} bytes long`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (!isUtf8(bytes)) throw new StartError("the password is not in UTF-8");
  return bytes.toString("utf8").replace(/\r?\n$/, "");
}

/** Asks at the terminal, without showing the answers. */
async function askTwice(): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, written) => written() });
  // One for both questions: in between, the terminal would show the letters that are typed.
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const lines = terminal[Symbol.asyncIterator]();
  const ask = async (prompt: string): Promise<string> => {
    process.stderr.write(prompt);
    const { value, done } = await lines.next();
    process.stderr.write("\n");
    // Ctrl-C, Ctrl-D or the end of the terminal.
    if (done) throw new StartError("no password was given");
    return value;
  };
  try {
    const password = await ask("Password: ");
    if ((await ask("Again: ")) !== password) throw new StartError("the two passwords are not the same");
    return password;
  } finally {
    terminal.close();
  }
}
