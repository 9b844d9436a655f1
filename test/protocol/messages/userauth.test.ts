import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidTextError, ProtocolError } from "../../../src/protocol/errors.js";
import * as messages from "../../../src/protocol/messages/userauth.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { infoResponse } from "../../support/packet-messages.js";
import { bytesArbitrary, expectEveryTruncationRefused, nameArbitrary, textArbitrary } from "../fields.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("SSH_MSG_USERAUTH_REQUEST", () => {
  it("is read up to the fields of its method", () => {
    fc.assert(
      fc.property(textArbitrary, nameArbitrary, nameArbitrary, bytesArbitrary, (username, service, method, rest) => {
        const payload = new Writer().writeByte(50).writeString(username).writeString(service).writeString(method);
        const request = messages.decodeUserauthRequest(payload.writeBytes(rest).toBuffer());
        expect(request).toMatchObject({ username, service, method });
        expect(request.fields.readRest()).toEqual(rest);
      }),
    );
  });

  it("is refused when it is cut short, or its user name is not UTF-8", () => {
    expectEveryTruncationRefused(hex("32 00000001 75 00000001 73 00000001 6d"), messages.decodeUserauthRequest, 1);
    expect(() => messages.decodeUserauthRequest(hex("32 00000001 ff 00000001 73 00000001 6d"))).toThrow(
      InvalidTextError,
    );
  });
});

describe("fields of method password", () => {
  const decode = (bytes: Buffer) => messages.decodePasswordFields(new Reader(bytes));

  it("are the password, and the new one in a change", () => {
    expect(decode(hex("00 00000002 00ff"))).toEqual({ password: hex("00ff") });
    expect(decode(hex("01 00000001 61 00000001 62"))).toEqual({ password: hex("61"), newPassword: hex("62") });
  });

  it("are nothing else", () => {
    expectEveryTruncationRefused(hex("00 00000002 6162"), decode);
    expectEveryTruncationRefused(hex("01 00000001 61 00000001 62"), decode);
    expect(() => decode(hex("00 00000001 61 00000001 62"))).toThrow(ProtocolError);
  });
});

describe("fields of method publickey", () => {
  const query = hex("00 00000001 61 00000001 62");
  const signed = hex("01 00000001 61 00000001 62 00000001 63");
  const hostBound = hex("01 00000001 61 00000001 62 00000001 68 00000001 63");
  const decode = (form: "plain" | "host-bound") => (bytes: Buffer) =>
    messages.decodePublicKeyFields(new Reader(bytes), form);

  it("are algorithm and key, with a signature or without", () => {
    expect(decode("plain")(query)).toEqual({
      algorithm: "a",
      keyBlob: hex("62"),
      hostKeyBlob: undefined,
      signature: undefined,
    });
    expect(decode("plain")(signed).signature).toEqual(hex("63"));
  });

  it("hold the host key in the host-bound form", () => {
    expect(decode("host-bound")(hostBound)).toMatchObject({ hostKeyBlob: hex("68"), signature: hex("63") });
    expect(() => decode("plain")(hostBound)).toThrow(ProtocolError);
    expect(() => decode("host-bound")(signed)).toThrow(ProtocolError);
  });

  it("are nothing else", () => {
    expectEveryTruncationRefused(query, decode("plain"));
    expectEveryTruncationRefused(signed, decode("plain"));
    expectEveryTruncationRefused(hostBound, decode("host-bound"));
    expect(() => decode("plain")(Buffer.concat([query, hex("00000000")]))).toThrow(ProtocolError);
  });

  it("are signed together with the session (RFC 4252 §7)", () => {
    const request = messages.decodeUserauthRequest(
      Buffer.concat([hex("32 00000001 75 00000001 73 00000001 6d"), signed]),
    );
    const fields = decode("plain")(request.fields.readRest());
    expect(messages.encodeSignedRequest(hex("aabb"), request, fields)).toEqual(
      hex("00000002 aabb 32 00000001 75 00000001 73 00000001 6d 01 00000001 61 00000001 62"),
    );
    const bound = messages.encodeSignedRequest(hex("aabb"), request, { ...fields, hostKeyBlob: hex("68") });
    expect(bound.subarray(-5)).toEqual(hex("00000001 68"));
  });
});

describe("method keyboard-interactive", () => {
  it("has a language, which is ignored, and submethods", () => {
    const decode = (bytes: Buffer) => messages.decodeKeyboardInteractiveFields(new Reader(bytes));
    expect(decode(hex("00000001 ff 00000002 6162"))).toEqual({ submethods: "ab" });
    expectEveryTruncationRefused(hex("00000001 61 00000002 6162"), decode);
    expect(() => decode(hex("00000000 00000000 00"))).toThrow(ProtocolError);
  });

  it("asks (RFC 4256 §3.2)", () => {
    const request = { name: "n", instruction: "i", prompts: [{ prompt: "p", echo: true }] };
    expect(messages.encodeInfoRequest(request)).toEqual(
      hex("3c 00000001 6e 00000001 69 00000000 00000001 00000001 70 01"),
    );
    expect(messages.encodeInfoRequest({ prompts: [] })).toEqual(hex("3c 00000000 00000000 00000000 00000000"));
  });

  it("takes as many answers as were asked for", () => {
    fc.assert(
      fc.property(fc.array(textArbitrary, { maxLength: 5 }), (answers) => {
        expect(messages.decodeInfoResponse(infoResponse(answers), answers.length)).toEqual(answers);
        expect(() => messages.decodeInfoResponse(infoResponse(answers), answers.length + 1)).toThrow(ProtocolError);
      }),
    );
  });

  it("refuses a count that is not that of the answers", () => {
    expect(() => messages.decodeInfoResponse(infoResponse(["a"], 2), 2)).toThrow(ProtocolError);
    expect(() => messages.decodeInfoResponse(infoResponse(["a", "b"], 1), 1)).toThrow(ProtocolError);
    expect(() => messages.decodeInfoResponse(hex("3d ffffffff"), 1)).toThrow(ProtocolError);
    expectEveryTruncationRefused(infoResponse(["ab", "c"]), (bytes) => messages.decodeInfoResponse(bytes, 2), 1);
  });
});

describe("the server's messages", () => {
  it.each([
    ["FAILURE", messages.encodeUserauthFailure(["a", "b"], false), "33 00000003 612c62 00"],
    ["FAILURE with partial success", messages.encodeUserauthFailure(["a"], true), "33 00000001 61 01"],
    ["SUCCESS", messages.encodeUserauthSuccess(), "34"],
    ["BANNER", messages.encodeBanner("hi"), "35 00000002 6869 00000000"],
    ["PK_OK", messages.encodePublicKeyOk("a", hex("00ff")), "3c 00000001 61 00000002 00ff"],
    ["PASSWD_CHANGEREQ", messages.encodePasswordChangeRequest("new"), "3c 00000003 6e6577 00000000"],
  ])("%s", (_, payload, expected) => {
    expect(payload).toEqual(hex(expected));
  });
});
