import { noneSealer } from "../../../src/crypto/cipher/none.js";
import { sealPacket } from "../../support/packet-framing.js";
import type { Harness } from "../engine/harness.js";
import { throwFirst } from "../support/files.js";
import { MemoryConnection } from "../support/memory-connection.js";
import { cutInChunks, settle } from "../support/messages.js";
import { plainKeyExchangeMessages } from "../support/plain-algorithms.js";

const packets = plainKeyExchangeMessages("none").map((payload) => sealPacket(noneSealer, 0, payload));

/** The first bytes of a connection, as they come from the network: a whole server reads them, whole and in pieces. */
export const harness: Harness = {
  name: "transport",
  seeds: [Buffer.concat([Buffer.from("SSH-2.0-fuzz\r\n"), ...packets])],
  shortRun: 300,
  async run(bytes) {
    for (const chunks of [[bytes], cutInChunks(bytes)]) {
      const connection = MemoryConnection.start(bytes.length % 2 === 0 ? "plain" : "default");
      for (const chunk of chunks) connection.sendBytes(chunk);
      await settle();
      await connection.end();
      throwFirst(connection.defects);
    }
  },
};
