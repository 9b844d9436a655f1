import { PKey } from "/work/wt/cluster/dist/crypto/index.js";
import {
  AUTH_SUCCESSFUL,
  type Channel,
  SSHServer,
  SSHServerManager,
  serveWithWorkers,
} from "/work/wt/cluster/dist/index.js";

class S extends SSHServer {
  override checkAuthPassword() {
    return AUTH_SUCCESSFUL;
  }
  override checkChannelExecRequest(channel: Channel) {
    channel.send("x\n");
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}
const make = async (key: string) => {
  const manager = new SSHServerManager({
    serverInterface: new S(),
    serverKey: PKey.fromString(key),
    bindAddress: "127.0.0.1",
    port: Number(process.env.PORT),
    logger: false,
    maxStartups: false,
    perSourceMaxStartups: false,
    perSourcePenalties: false,
  });
  await manager.startServer();
  return manager;
};
const key = () => PKey.generate({ keyType: "ed25519" }).toOpenSSH();
const n = process.env.WORKERS;
if (n === undefined) {
  await make(key());
  console.log("pids", process.pid);
} else {
  const w = await serveWithWorkers({
    workers: Number(n),
    prepare: key,
    start: async ({ data }) => {
      await make(data as string);
    },
    logger: false,
  });
  console.log("pids", [process.pid, ...w.workers.map((x) => x.pid)].join(" "));
}
