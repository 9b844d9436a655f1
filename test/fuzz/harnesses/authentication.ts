import * as messages from "../../support/packet-messages.js";
import type { Harness } from "../engine/harness.js";
import { throwFirst } from "../support/files.js";
import { privateKeys } from "../support/keys.js";
import { MemoryConnection } from "../support/memory-connection.js";
import { joinMessages, settle, splitMessages } from "../support/messages.js";

const seeds = [
  [messages.passwordRequest("admin", "wrong"), messages.passwordRequest("admin", "secret")],
  [messages.passwordRequest("admin", "expired"), messages.passwordChangeRequest("admin", "old", "new")],
  [messages.keyboardInteractiveRequest("admin"), messages.infoResponse(["right"])],
  [
    messages.keyboardInteractiveRequest("admin"),
    messages.infoResponse(["wrong"]),
    messages.infoResponse([]),
    messages.infoResponse(["", ""]),
  ],
  [messages.passwordRequest("admin", "partial"), messages.keyboardInteractiveRequest("admin")],
  privateKeys.map((key) =>
    messages.publickeyQuery({
      username: "admin",
      algorithm: key.signatureAlgorithms[0] ?? "",
      publicBlob: key.publicBlob,
    }),
  ),
];

/** Messages to a server that waits for a user to log in. */
export const harness: Harness = {
  name: "authentication",
  seeds: seeds.map(joinMessages),
  shortRun: 300,
  async run(bytes) {
    const connection = await MemoryConnection.reach("authentication");
    for (const message of splitMessages(bytes)) {
      connection.send(message);
      await settle(1);
    }
    await settle();
    await connection.end();
    throwFirst(connection.defects);
  },
};
