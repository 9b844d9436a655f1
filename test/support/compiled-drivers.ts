import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GO_PACKAGES, JSCH, TOOLS } from "./clients.js";
import { COMPILED, compiled } from "./compiled.js";

export const DRIVERS = fileURLToPath(new URL("../interop/drivers/", import.meta.url));

/** How a driver is started. */
export interface Driver {
  readonly program: string;
  /** What comes before the parameters of the driver. */
  readonly before: readonly string[];
}

export async function compiledC(tool: "libssh" | "libssh2", name: string): Promise<Driver> {
  const source = join(DRIVERS, name);
  const library = { libssh: "-lssh", libssh2: "-lssh2" }[tool];
  const parameters = (folder: string) => ["-O2", "-o", join(folder, "client"), source, library];
  return {
    program: join(await compiled({ tool, sources: [source], compiler: TOOLS[tool], parameters }), "client"),
    before: [],
  };
}

export async function compiledGo(name: string): Promise<Driver> {
  const source = join(DRIVERS, name);
  const folder = await compiled({
    tool: "go",
    sources: [source],
    compiler: TOOLS.go,
    parameters: (made) => ["build", "-o", join(made, "client"), source],
    environment: { GO111MODULE: "off", GOPATH: GO_PACKAGES, GOCACHE: join(COMPILED, "go-cache") },
  });
  return { program: join(folder, "client"), before: [] };
}

/** For programs that end within a second. */
const BRIEF = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] as const;

const JAVA_CLASSES = ["JSchClient", "JSchForwarding"] as const;

/** Compiles all classes: half of the time is the start of the compiler. */
export async function compiledJava(name: (typeof JAVA_CLASSES)[number]): Promise<Driver> {
  const sources = JAVA_CLASSES.map((other) => join(DRIVERS, `${other}.java`));
  const brief = BRIEF.map((option) => `-J${option}`);
  const parameters = (folder: string) => [...brief, "-encoding", "UTF-8", "-cp", JSCH, "-d", folder, ...sources];
  const folder = await compiled({ tool: "jsch", sources, compiler: "javac", parameters });
  return { program: TOOLS.jsch, before: ["-cp", `${folder}:${JSCH}`, ...BRIEF, name] };
}
