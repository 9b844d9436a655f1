import { type AddressInfo, createServer } from "node:net";
import { LocalFileSystem } from "../../src/files/local/local-file-system.js";
import { SFTPServer } from "../../src/sftp/server/sftp-server.js";

// A server of a folder in a process of its own, which may come to a stop: SFTP over TCP, each connection a session. It is
// given the folder, and tells its port.

const [folder = ""] = process.argv.slice(2);
const fileSystem = new LocalFileSystem(folder);
const server = createServer((socket) => {
  new SFTPServer(socket, { fileSystem, logger: false });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit());
