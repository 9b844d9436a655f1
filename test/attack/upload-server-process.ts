import { PKey } from "../../src/crypto/index.js";
import { AUTH_SUCCESSFUL, createServer } from "../../src/index.js";
import { atomicUploads, LocalFileSystem, quota } from "../../src/sftp/index.js";
import { QUICK_ALGORITHMS } from "../support/clients.js";
import { withoutAdmission } from "../support/without-admission.js";

// A server of whole uploads in a process of its own, to be killed. It is given the folder and the bytes of its quota, and tells its
// port and how each upload has ended. Any message ends all connections.

const [folder = "", bytes = ""] = process.argv.slice(2);
const files = quota(new LocalFileSystem(folder), { bytes: Number(bytes) });
const server = createServer({
  hostKey: PKey.generate({ keyType: "ed25519" }),
  authentication: { none: () => AUTH_SUCCESSFUL },
  sftp: ({ user }) => ({
    fileSystem: atomicUploads(files, { user }),
    onUpload: ({ path, outcome: { result } }) => process.send?.({ path, result }),
  }),
  logger: false,
  algorithms: QUICK_ALGORITHMS,
  ...withoutAdmission,
});
process.on("message", () => {
  for (const connection of server.connections) connection.disconnect();
});
process.on("disconnect", () => process.exit());
await server.listen(0);
process.send?.(server.port);
