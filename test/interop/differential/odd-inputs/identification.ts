import type { OddInput } from "./odd-input.js";

/** @param line that the client sends for its identification, end of line included, as latin1 */
function identification(name: string, line: string): OddInput {
  return { name, stage: "connected", options: { identification: line }, send: () => {} };
}

function filler(length: number): string {
  return `SSH-2.0-${"x".repeat(length - "SSH-2.0-\r\n".length)}\r\n`;
}

export const identificationInputs: readonly OddInput[] = [
  identification("an identification that ends in LF alone", "SSH-2.0-client\n"),
  identification("an identification with comments", "SSH-2.0-client some comments, with spaces\r\n"),
  identification("an identification that ends in a space", "SSH-2.0-client \r\n"),
  identification("an identification with a hyphen in the software's version", "SSH-2.0-a-b-c\r\n"),
  identification("an identification without a software version", "SSH-2.0-\r\n"),
  identification("an identification with comments alone", "SSH-2.0- comments\r\n"),
  identification("an identification of 256 bytes", filler(256)),
  identification("an identification of 2,000 bytes", filler(2_000)),
  identification("an identification of 8,000 bytes", filler(8_000)),
  identification("an identification of 8,300 bytes", filler(8_300)),
  identification("an identification of 60,000 bytes", filler(60_000)),
  identification("an identification that is not UTF-8", "SSH-2.0-cl\xefent \xff\xfe\r\n"),
  identification("an identification with control characters", "SSH-2.0-client\t\x1b[1m\x01\x7f\r\n"),
  identification("an identification with NUL", "SSH-2.0-cli\0ent\r\n"),
  identification("an identification with CR inside", "SSH-2.0-cli\rent\r\n"),
  identification("an identification of SSH 1.99", "SSH-1.99-client\r\n"),
  identification("an identification of SSH 1.5", "SSH-1.5-client\r\n"),
  identification("an identification of SSH 2.1", "SSH-2.1-client\r\n"),
  identification("an identification of SSH 3.0", "SSH-3.0-client\r\n"),
  identification("an identification of SSH 02.00", "SSH-02.00-client\r\n"),
  identification("an identification without a second hyphen", "SSH-2.0 client\r\n"),
  identification("an identification in small letters", "ssh-2.0-client\r\n"),
  identification("an identification behind a space", " SSH-2.0-client\r\n"),
  identification("a line before the identification", "hello\r\nSSH-2.0-client\r\n"),
  identification("an empty line before the identification", "\r\nSSH-2.0-client\r\n"),
  identification("a request of HTTP for an identification", "GET / HTTP/1.1\r\n"),
  {
    name: "a second identification",
    stage: "identified",
    send: ({ client }) => client.sendRaw("SSH-2.0-client\r\n"),
  },
];
