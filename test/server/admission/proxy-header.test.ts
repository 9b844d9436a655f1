import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProxyHeaderError, readProxyHeader } from "../../../src/server/admission/proxy-header.js";
import { binaryHeader } from "./proxy-header-bytes.js";

const IDENTIFICATION = Buffer.from("SSH-2.0-client\r\n");
const client = (address: string, port: number) => ({ kind: "client", address, port });
/** Bytes of a header of version 2 with all the TLVs that are borne. */
const LONGEST = 16 + 4096;
const line = (text: string) => Buffer.from(text, "latin1");

const VALID: readonly [what: string, header: Buffer, from: object][] = [
  ["TCP4", line("PROXY TCP4 192.0.2.1 198.51.100.1 56324 22\r\n"), client("192.0.2.1", 56_324)],
  [
    "the longest TCP4",
    line("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
    client("255.255.255.255", 65_535),
  ],
  ["port 0", line("PROXY TCP4 192.0.2.1 198.51.100.1 0 22\r\n"), client("192.0.2.1", 0)],
  ["TCP6", line("PROXY TCP6 2001:db8::1 2001:db8::2 56324 22\r\n"), client("2001:db8::1", 56_324)],
  [
    "the longest TCP6",
    line("PROXY TCP6 ffff:f:ffff:ffff:ffff:ffff:ffff:ffff ffff:f:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
    client("ffff:f:ffff:ffff:ffff:ffff:ffff:ffff", 65_535),
  ],
  ["UNKNOWN", line("PROXY UNKNOWN\r\n"), { kind: "unknown" }],
  ["the longest UNKNOWN", line(`PROXY UNKNOWN ${"f".repeat(91)}\r\n`), { kind: "unknown" }],
  [
    "version 2, TCP over IPv4",
    binaryHeader({ family: 0x11, source: "c0000201", port: 56_324 }),
    client("192.0.2.1", 56_324),
  ],
  [
    "version 2, TCP over IPv6",
    binaryHeader({ family: 0x21, source: "20010db8000000000000000000000001", port: 22 }),
    client("2001:db8::1", 22),
  ],
  [
    "version 2, IPv4 mapped into IPv6",
    binaryHeader({ family: 0x21, source: "00000000000000000000ffffc0000201", port: 22 }),
    client("::ffff:c000:201", 22),
  ],
  [
    "version 2 with TLVs",
    binaryHeader({ family: 0x11, source: "c0000201", port: 1, rest: Buffer.alloc(500, 7) }),
    client("192.0.2.1", 1),
  ],
  [
    "version 2 of the greatest length",
    binaryHeader({ family: 0x11, source: "c0000201", port: 1, rest: Buffer.alloc(4096 - 12) }),
    client("192.0.2.1", 1),
  ],
  ["version 2, LOCAL", binaryHeader({ command: 0x20, family: 0 }), { kind: "proxy" }],
  [
    "version 2, LOCAL with what is to be ignored",
    binaryHeader({ command: 0x20, family: 0xff, rest: Buffer.alloc(99) }),
    { kind: "proxy" },
  ],
  ["version 2, unspecified", binaryHeader({ family: 0, rest: Buffer.alloc(20) }), { kind: "unknown" }],
  ["version 2, Unix socket", binaryHeader({ family: 0x31, rest: Buffer.alloc(216) }), { kind: "unknown" }],
];

describe("a PROXY header", () => {
  it.each(VALID)("of %s is read, and what follows left alone", (_, header, from) => {
    expect(readProxyHeader(header)).toEqual({ length: header.length, from });
    expect(readProxyHeader(Buffer.concat([header, IDENTIFICATION]))).toEqual({ length: header.length, from });
  });

  it.each(VALID)("of %s is waited for at every byte", (_, header) => {
    for (let length = 0; length < header.length; length++) {
      expect(readProxyHeader(header.subarray(0, length))).toBeUndefined();
    }
  });

  it.each<[what: string, bytes: Buffer]>([
    ["an identification", IDENTIFICATION],
    ["another letter", line("PROXX")],
    ["lower case", line("proxy TCP4 192.0.2.1 198.51.100.1 1 22\r\n")],
    ["a space too many", line("PROXY  TCP4 192.0.2.1 198.51.100.1 1 22\r\n")],
    ["two spaces inside", line("PROXY TCP4 192.0.2.1  198.51.100.1 1 22\r\n")],
    ["a tab", line("PROXY TCP4\t192.0.2.1 198.51.100.1 1 22\r\n")],
    ["a space at the end", line("PROXY TCP4 192.0.2.1 198.51.100.1 1 22 \r\n")],
    ["an empty line", line("PROXY \r\n")],
    ["UDP", line("PROXY UDP4 192.0.2.1 198.51.100.1 1 22\r\n")],
    ["UNKNOWNS", line("PROXY UNKNOWNS\r\n")],
    ["IPv6 called TCP4", line("PROXY TCP4 2001:db8::1 2001:db8::2 1 22\r\n")],
    ["IPv4 called TCP6", line("PROXY TCP6 192.0.2.1 198.51.100.1 1 22\r\n")],
    ["leading zeros in an address", line("PROXY TCP4 192.0.02.1 198.51.100.1 1 22\r\n")],
    ["an address out of range", line("PROXY TCP4 192.0.2.256 198.51.100.1 1 22\r\n")],
    ["a zone", line("PROXY TCP6 fe80::1%eth0 2001:db8::2 1 22\r\n")],
    ["a wrong destination", line("PROXY TCP4 192.0.2.1 nowhere 1 22\r\n")],
    ["no ports", line("PROXY TCP4 192.0.2.1 198.51.100.1\r\n")],
    ["one port", line("PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n")],
    ["a port out of range", line("PROXY TCP4 192.0.2.1 198.51.100.1 65536 22\r\n")],
    ["a port with leading zeros", line("PROXY TCP4 192.0.2.1 198.51.100.1 01 22\r\n")],
    ["a negative port", line("PROXY TCP4 192.0.2.1 198.51.100.1 -1 22\r\n")],
    ["a port in hexadecimal", line("PROXY TCP4 192.0.2.1 198.51.100.1 0x16 22\r\n")],
    ["a zero byte", line("PROXY TCP4 192.0.2.1\0 198.51.100.1 1 22\r\n")],
    ["LF alone inside", line("PROXY TCP4 192.0.2.1 198.51.100.1 1 22\nSSH-2.0-x\r\n")],
    ["a line without end", line(`PROXY UNKNOWN ${"f".repeat(200)}`)],
    ["a line one byte too long", line(`PROXY UNKNOWN ${"f".repeat(92)}\r\n`)],
    ["version 1 in binary", binaryHeader({ command: 0x11, family: 0x11, source: "c0000201", port: 1 })],
    ["version 3", binaryHeader({ command: 0x31, family: 0x11, source: "c0000201", port: 1 })],
    ["an unknown command", binaryHeader({ command: 0x22, family: 0x11, source: "c0000201", port: 1 })],
    ["UDP over IPv4", binaryHeader({ family: 0x12, source: "c0000201", port: 1 })],
    ["an unknown family", binaryHeader({ family: 0x41, rest: Buffer.alloc(300) })],
    ["no transport", binaryHeader({ family: 0x10, source: "c0000201", port: 1 })],
    ["too few bytes for IPv4", binaryHeader({ family: 0x11, rest: Buffer.alloc(11) })],
    ["too few bytes for IPv6", binaryHeader({ family: 0x21, rest: Buffer.alloc(35) })],
    ["too few bytes for a Unix socket", binaryHeader({ family: 0x31, rest: Buffer.alloc(215) })],
    ["too many bytes, before they come", binaryHeader({ family: 0x11, rest: Buffer.alloc(4097) }).subarray(0, 16)],
    [
      "65,535 bytes of LOCAL, before they come",
      binaryHeader({ command: 0x20, rest: Buffer.alloc(65_535) }).subarray(0, 16),
    ],
  ])("with %s is refused", (_, bytes) => {
    expect(() => readProxyHeader(bytes)).toThrow(ProxyHeaderError);
  });

  const prefix = fc.constantFrom(line(""), line("PROXY "), line("PROXY TCP4 "), binaryHeader({}).subarray(0, 12));

  it("is read, waited for within bounds or refused, whatever comes", () => {
    fc.assert(
      fc.property(prefix, fc.uint8Array({ maxLength: 5000 }), (start, bytes) => {
        const input = Buffer.concat([start, bytes]);
        let header: ReturnType<typeof readProxyHeader>;
        try {
          header = readProxyHeader(input);
        } catch (error) {
          expect(error).toBeInstanceOf(ProxyHeaderError);
          return;
        }
        if (header === undefined) expect(input.length).toBeLessThan(LONGEST);
        else expect(header.length).toBeLessThanOrEqual(input.length);
      }),
    );
  });

  it("means the same however the bytes are cut", () => {
    const address = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }));
    fc.assert(
      fc.property(address, ([source, port]) => {
        const hex = Buffer.from(source.split(".").map(Number)).toString("hex");
        const text = readProxyHeader(line(`PROXY TCP4 ${source} 127.0.0.1 ${port} 22\r\n`));
        const binary = readProxyHeader(binaryHeader({ family: 0x11, source: hex, port }));
        expect(text?.from).toEqual(client(source, port));
        expect(binary?.from).toEqual(client(source, port));
      }),
    );
  });
});
