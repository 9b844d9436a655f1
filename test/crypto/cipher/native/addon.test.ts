import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { packetPath } from "../../../../src/crypto/cipher/packet-path.js";
import { needs } from "../../../support/clients.js";

it("is used where it can be built", needs("cc"), () => {
  expect(packetPath()).toMatchObject({ description: `addon (OpenSSL ${process.versions.openssl})` });
});
