import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DisconnectReason } from "../../src/protocol/constants.js";
import { IdentificationReader } from "../../src/transport/identification.js";

const text = (value: string) => Buffer.from(value, "latin1");
const read = (value: string) => new IdentificationReader(0).receive(text(value));
const refusal = expect.objectContaining({
  name: "ProtocolError",
  reason: DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED,
});

describe("IdentificationReader", () => {
  it.each([
    ["with a comment", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian-2"],
    ["that ends in LF alone", "SSH-2.0-client\n", "SSH-2.0-client"],
    ["of a client that speaks both versions", "SSH-1.99-client\r\n", "SSH-1.99-client"],
    ["with spaces at its end", "SSH-2.0-client  \r\n", "SSH-2.0-client  "],
    ["with bytes outside US-ASCII", "SSH-2.0-cli\xe4nt\r\n", "SSH-2.0-cli\xe4nt"],
    ["with an escape", "SSH-2.0-\x1b[2J\r\n", "SSH-2.0-\x1b[2J"],
  ])("takes a line %s", (_, line, identification) => {
    expect(read(line)).toEqual({ identification, rest: Buffer.alloc(0) });
  });

  it("gives the same for every way to cut the bytes, and the bytes behind the line", () => {
    const line = text("SSH-2.0-client comment\r\n");
    const behind = text("\n\r\nSSH-2.0-again\n\x00\xff");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 40 }), (lengths) => {
        const reader = new IdentificationReader(0);
        let bytes = Buffer.concat([line, behind]);
        for (const length of [...lengths, bytes.length]) {
          const received = reader.receive(bytes.subarray(0, length));
          bytes = bytes.subarray(length);
          if (received === undefined) continue;
          expect(received.identification).toBe("SSH-2.0-client comment");
          expect(Buffer.concat([received.rest, bytes])).toEqual(behind);
          return;
        }
        expect.unreachable("the line was not found");
      }),
    );
  });

  it.each([
    ["the first version", "SSH-1.5-client\r\n"],
    ["a later version", "SSH-2.1-client\r\n"],
    ["a version with more digits", "SSH-2.00-client\r\n"],
    ["no version", "SSH-client\r\n"],
    ["no software version", "SSH-2.0-\r\n"],
    ["a version that does not end", "SSH-2.0\r\n"],
    ["a zero byte", "SSH-2.0-cli\0ent\r\n"],
    ["a CR inside", "SSH-2.0-cli\rent\r\n"],
    ["a second CR", "SSH-2.0-client\r\r\n"],
    ["a small letter", "sSH-2.0-client\r\n"],
    ["a line before it", "hello\r\nSSH-2.0-client\r\n"],
    ["an empty line", "\r\n"],
    ["a cut beginning", "SSH\r\n"],
  ])("refuses %s", (_, line) => {
    expect(() => read(line)).toThrow(refusal);
  });

  it("says little of a version, however long it is", () => {
    expect(() => read(`SSH-${"1".repeat(8000)}.0-client\r\n`)).toThrow(/^.{1,100}$/);
  });

  it("refuses another protocol at its first wrong byte", () => {
    expect(() => read("G")).toThrow(refusal);
    expect(() => read("SSX")).toThrow(refusal);
    const reader = new IdentificationReader(0);
    expect(reader.receive(text("SS"))).toBeUndefined();
    expect(() => reader.receive(text("L"))).toThrow(refusal);
  });

  it("takes 8192 bytes before the line end, and no more", () => {
    const longest = `SSH-2.0-${"x".repeat(8192 - 8)}`;
    for (const end of ["\n", "\r\n"]) {
      expect(read(`${longest}${end}`)?.identification).toBe(longest);
      expect(() => read(`${longest}x${end}`)).toThrow(refusal);
    }
    expect(() => read(`${longest}xx`)).toThrow(refusal);
  });

  it("waits for no more than that, however the bytes come", () => {
    const reader = new IdentificationReader(0);
    const endless = text(`SSH-2.0-${"x".repeat(9000)}`);
    for (let index = 0; index < 8193; index++) {
      expect(reader.receive(endless.subarray(index, index + 1))).toBeUndefined();
    }
    expect(() => reader.receive(endless.subarray(8193, 8194))).toThrow(refusal);
  });
});

describe("a server's identification", () => {
  const reader = (text: string) => new IdentificationReader(3).receive(Buffer.from(text, "latin1"));

  it("may come after other lines, which are dropped", () => {
    const lines = "Welcome\r\n\nSSH2-like\r\nSSH-2.0-server\r\nrest";
    expect(reader(lines)).toEqual({ identification: "SSH-2.0-server", rest: text("rest") });
    const bytewise = new IdentificationReader(3);
    const results = [...text(lines)].map((byte) => bytewise.receive(Buffer.of(byte)));
    expect(results.find((result) => result !== undefined)).toEqual({
      identification: "SSH-2.0-server",
      rest: Buffer.alloc(0),
    });
  });

  it("comes after no more lines than that, and none that is too long", () => {
    expect(() => reader("1\n2\n3\n4\nSSH-2.0-server\n")).toThrow(refusal);
    expect(() => reader("1\n2\n3\n4")).toThrow(refusal);
    expect(() => reader("x".repeat(8195))).toThrow(refusal);
    expect(reader(`${"x".repeat(8192)}\nSSH-2.0-server\n`)?.identification).toBe("SSH-2.0-server");
  });

  it("is checked as a client's", () => {
    for (const line of ["SSH-1.5-server\n", "SSH-2.0\n", "hello\nSSH-\n"]) expect(() => reader(line)).toThrow(refusal);
  });
});
