import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AgentError } from "../../../src/forwarding/agent/agent-error.js";
import { MessageAssembler } from "../../../src/forwarding/agent/message-assembler.js";
import {
  decodeIdentities,
  decodeSignature,
  encodeListRequest,
  encodeSignRequest,
  MAX_KEYS,
  MAX_MESSAGE_LENGTH,
} from "../../../src/forwarding/agent/messages.js";
import { Writer } from "../../../src/protocol/writer.js";
import { framed, identitiesAnswer, signResponse } from "./agent-answers.js";

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ""), "hex");
const blobOf = (keyType: string | Uint8Array): Buffer =>
  new Writer().writeString(keyType).writeString("key").toBuffer();

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const keyTypes = fc.string({ unit: fc.constantFrom(..."abz-@.0129"), minLength: 1, maxLength: 40 });
const identities = fc.array(fc.record({ keyType: keyTypes, comment: fc.string({ maxLength: 40 }) }), { maxLength: 20 });

/** The code of the error that a call throws. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof AgentError) return error.code;
    throw error;
  }
}

describe("requests to an agent", () => {
  it("are the bytes of RFC 9987", () => {
    expect(encodeListRequest()).toEqual(hex("00000001 0b"));
    const request = encodeSignRequest(Buffer.from("blob"), Buffer.from("data!"), 4);
    expect(request).toEqual(hex("00000016 0d 00000004 626c6f62 00000005 6461746121 00000004"));
  });

  it("are not longer than what agents take", () => {
    const blob = Buffer.alloc(51);
    const longest = MAX_MESSAGE_LENGTH - 13 - blob.length;
    expect(encodeSignRequest(blob, Buffer.alloc(longest), 0)).toHaveLength(4 + MAX_MESSAGE_LENGTH);
    expect(() => encodeSignRequest(blob, Buffer.alloc(longest + 1), 0)).toThrow(RangeError);
  });
});

describe("a list of keys", () => {
  it("is what the agent has sent", () => {
    const answer = hex(`0c 00000002
      00000014 0000000b 7373682d65643235353139 00000001 41 00000003 616263
      0000000a 00000001 78 00000001 42 00000000`);
    expect(decodeIdentities(answer)).toEqual([
      { keyType: "ssh-ed25519", publicBlob: hex("0000000b 7373682d65643235353139 00000001 41"), comment: "abc" },
      { keyType: "x", publicBlob: hex("00000001 78 00000001 42"), comment: "" },
    ]);
  });

  it("keeps each key in its order", () => {
    fc.assert(
      fc.property(identities, (keys) => {
        const answer = identitiesAnswer(keys.map((key) => ({ ...key, publicBlob: blobOf(key.keyType) })));
        const decoded = decodeIdentities(answer);
        expect(decoded.map(({ keyType }) => keyType)).toEqual(keys.map(({ keyType }) => keyType));
        expect(decoded.map(({ publicBlob }) => publicBlob)).toEqual(keys.map(({ keyType }) => blobOf(keyType)));
      }),
      { numRuns: 50 },
    );
  });

  it("is not a view of the answer", () => {
    const answer = identitiesAnswer([{ publicBlob: blobOf("x"), comment: "one" }]);
    const [key] = decodeIdentities(answer);
    answer.fill(0);
    expect(key?.publicBlob).toEqual(blobOf("x"));
  });

  it("has comments without control characters, in whatever encoding they come", () => {
    const comment = Buffer.concat([Buffer.from("a\n\u001b[31mb\u009b"), Buffer.of(0xff)]);
    const [key] = decodeIdentities(identitiesAnswer([{ publicBlob: blobOf("x"), comment }]));
    expect(key?.comment).toBe("a  [31mb \ufffd");
  });

  it.each([
    ["no keys where some are announced", identitiesAnswer([], 1)],
    ["more keys than there are bytes", identitiesAnswer([{ publicBlob: blobOf("x"), comment: "" }], 0xffffffff)],
    ["one key too many", identitiesAnswer(Array(MAX_KEYS + 1).fill({ publicBlob: blobOf("x"), comment: "" }))],
    ["a key without a type", identitiesAnswer([{ publicBlob: Buffer.alloc(0), comment: "" }])],
    ["a key with an empty type", identitiesAnswer([{ publicBlob: blobOf(""), comment: "" }])],
    ["a type that is not a name", identitiesAnswer([{ publicBlob: blobOf("ssh\n"), comment: "" }])],
    ["a type that is cut off", identitiesAnswer([{ publicBlob: hex("000000ff 61"), comment: "" }])],
    ["a comment that is cut off", identitiesAnswer([{ publicBlob: blobOf("x"), comment: "abc" }]).subarray(0, -1)],
    ["nothing", Buffer.of(12)],
    ["success", Buffer.of(6)],
    ["a signature", signResponse(blobOf("x"))],
  ])("is refused with %s", (_, answer) => {
    expect(codeOf(() => decodeIdentities(answer))).toBe("malformed");
  });

  it("may be as long as that of ssh, and have something behind it", () => {
    const keys = Array(MAX_KEYS).fill({ publicBlob: blobOf("x"), comment: "" });
    expect(decodeIdentities(Buffer.concat([identitiesAnswer(keys), Buffer.of(1, 2)]))).toHaveLength(MAX_KEYS);
  });
});

describe("a signature", () => {
  it("is the string in the answer", () => {
    expect(decodeSignature(hex("0e 00000003 010203"))).toEqual(hex("010203"));
    expect(codeOf(() => decodeSignature(hex("0e 00000004 010203")))).toBe("malformed");
    expect(codeOf(() => decodeSignature(identitiesAnswer([])))).toBe("malformed");
  });

  it("is what the agent may fail to make", () => {
    expect(codeOf(() => decodeSignature(hex("05")))).toBe("failed");
    expect(codeOf(() => decodeIdentities(hex("05")))).toBe("failed");
  });
});

describe("any bytes", () => {
  it("are an answer or an AgentError", () => {
    const numbers = fc.constantFrom(5, 6, 12, 14, 255);
    fc.assert(
      fc.property(numbers, bytes, (number, rest) => {
        const message = Buffer.concat([Buffer.of(number), rest]);
        codeOf(() => decodeIdentities(message));
        codeOf(() => decodeSignature(message));
      }),
      { numRuns: 300 },
    );
  });
});

describe("a message in pieces", () => {
  it("is put together however they are cut, and what is behind it is left alone", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        bytes,
        fc.array(fc.integer({ min: 0, max: 9 })),
        (message, behind, cuts) => {
          let rest = Buffer.concat([framed(message), behind]);
          const assembler = new MessageAssembler();
          let whole: Buffer | undefined;
          for (const cut of [...cuts, rest.length]) {
            whole = assembler.push(rest.subarray(0, cut));
            rest = rest.subarray(cut);
            if (whole !== undefined) break;
          }
          expect(whole).toEqual(Buffer.from(message));
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([0, MAX_MESSAGE_LENGTH + 1, 0xffffffff])("is refused as soon as it announces %i bytes", (length) => {
    const head = new Writer().writeUint32(length).toBuffer();
    const assembler = new MessageAssembler();
    expect(assembler.push(head.subarray(0, 3))).toBeUndefined();
    expect(codeOf(() => assembler.push(head.subarray(3)))).toBe("malformed");
  });

  it("may be 256 KiB long", () => {
    const assembler = new MessageAssembler();
    expect(assembler.push(framed(Buffer.alloc(MAX_MESSAGE_LENGTH)))).toHaveLength(MAX_MESSAGE_LENGTH);
  });
});
