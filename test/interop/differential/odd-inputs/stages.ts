import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import { PacketType } from "../../../../src/sftp/codec/constants.js";
import * as messages from "../../../support/packet-messages.js";
import { init, type Reply, request } from "../../../support/sftp-packets.js";
import { PATH, type Stage } from "./odd-input.js";
import { expectPackets, type Peer } from "./peer.js";

type Step = (peer: Peer) => Promise<void>;

/** What both servers can run: a shell runs it at one, and the other knows it by name. */
export const PROGRAMS = {
  alive: "echo alive",
  echo: "cat",
  /** It ends soon after its connection. */
  deaf: "exec tail --pid=$PPID -f /dev/null",
} as const;

/** What leads from each stage of the path to the next. */
const steps: Readonly<Record<(typeof PATH)[number], Step>> = {
  connected: async ({ client }) => {
    await client.exchangeIdentifications();
    await expectPackets(client);
    await client.readServerKexInit();
  },
  identified: async ({ client }) => client.sendKexInit(),
  "exchanging-keys": ({ client }) => client.agreeOnKeys(),
  "keys-agreed": async ({ client }) => client.sendNewKeys(),
  encrypted: async (peer) => void (await peer.ask(messages.serviceRequest("ssh-userauth"), M.SERVICE_ACCEPT)),
  authenticating: (peer) => peer.logIn(),
  "logged-in": (peer) => peer.probe(),
};

interface Branch {
  readonly from: Stage;
  /** Leads there. */
  readonly enter: Step;
  /** Goes on from there to where all is seen to work. */
  readonly goOn: Step;
}

const branches: Readonly<Record<Exclude<Stage, (typeof PATH)[number]>, Branch>> = {
  "in-dialogue": {
    from: "authenticating",
    enter: async (peer) => {
      await peer.ask(messages.keyboardInteractiveRequest(peer.server.username), M.USERAUTH_INFO_REQUEST);
    },
    goOn: (peer) => goOn(peer, "authenticating"),
  },
  stranger: {
    from: "authenticating",
    enter: async () => {},
    goOn: async (peer) => void (await peer.ask(messages.serviceRequest("ssh-userauth"), M.SERVICE_ACCEPT)),
  },
  session: {
    from: "logged-in",
    enter: (peer) => peer.openSession(),
    goOn: async (peer) => {
      peer.send(messages.execRequest(peer.id, PROGRAMS.alive, "no-reply"));
      await peer.untilOutput(() => peer.output.includes("alive"));
      peer.mayClose = true;
      await peer.probe();
    },
  },
  echo: {
    from: "session",
    enter: (peer) => peer.exec(PROGRAMS.echo),
    goOn: async (peer) => {
      peer.send(messages.channelData(peer.id, PROBE));
      await peer.untilOutput(() => peer.output.includes(PROBE));
      await peer.probe();
    },
  },
  deaf: { from: "session", enter: (peer) => peer.exec(PROGRAMS.deaf), goOn: (peer) => peer.probe() },
  "rekeying-early": {
    from: "encrypted",
    enter: async ({ client }) => client.sendKexInit(),
    goOn: async (peer) => {
      // Whose KEXINIT means nothing to the server keeps its keys.
      const answer = await peer.until(([number]) => number === M.KEXINIT || number === M.UNIMPLEMENTED);
      if (answer[0] === M.UNIMPLEMENTED) peer.answers.push(answer);
      else {
        peer.client.acceptServerKexInit(answer);
        await peer.client.agreeOnKeys();
        peer.client.sendNewKeys();
      }
      await goOn(peer, "encrypted");
    },
  },
  "kexinit-sent": {
    from: "echo",
    enter: async ({ client }) => client.sendKexInit(),
    goOn: async (peer) => {
      await peer.client.readServerKexInit();
      await goOn(peer, "rekeying");
    },
  },
  rekeying: {
    from: "kexinit-sent",
    enter: async ({ client }) => void (await client.readServerKexInit()),
    goOn: async (peer) => {
      await peer.client.agreeOnKeys();
      await goOn(peer, "rekeyed");
    },
  },
  rekeyed: {
    from: "rekeying",
    enter: ({ client }) => client.agreeOnKeys(),
    goOn: async (peer) => {
      peer.client.sendNewKeys();
      await goOn(peer, "echo");
    },
  },
  over: { from: "connected", enter: (peer) => peer.untilEnd(), goOn: (peer) => peer.untilEnd() },
  sftp: {
    from: "session",
    enter: async (peer) => {
      await peer.startSFTP();
      peer.sendSFTP(init());
      await peer.untilSFTP(({ type }) => type === PacketType.VERSION);
    },
    goOn: async (peer) => {
      // Behind a request that it does not answer, sftp-server looks at the next one only when more comes.
      while (!peer.channelClosed && peer.findSFTP(isProbe) === undefined) {
        peer.sendSFTP(request(PacketType.REALPATH, PROBE_ID, "."));
        await peer.probe();
      }
      if (peer.channelClosed) return;
      // All that is answered at all is answered before the end.
      peer.send(messages.channelEof(peer.id));
      await peer.untilSessionEnd();
      await peer.probe();
    },
  },
};

/** The last line of what the echo sends back. */
export const PROBE = "probe of the echo\n";

/** The SFTP request that is sent behind the odd one. */
const PROBE_ID = 0x70707070;

export function isProbe({ id }: Reply): boolean {
  return id === PROBE_ID;
}

/** Goes the way of an ordinary client as far as a stage. */
export async function reach(peer: Peer, stage: Stage): Promise<void> {
  if (isOnPath(stage)) {
    for (const step of PATH.slice(0, PATH.indexOf(stage))) await steps[step](peer);
    return;
  }
  await reach(peer, branches[stage].from);
  await branches[stage].enter(peer);
}

/** Goes on from a stage until the connection, and what runs on it, is seen to work. */
export async function goOn(peer: Peer, stage: Stage): Promise<void> {
  if (isOnPath(stage)) for (const step of PATH.slice(PATH.indexOf(stage))) await steps[step](peer);
  else await branches[stage].goOn(peer);
}

function isOnPath(stage: Stage): stage is (typeof PATH)[number] {
  return (PATH as readonly Stage[]).includes(stage);
}
