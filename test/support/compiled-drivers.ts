import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GO_PACKAGES, JSCH, TOOLS } from "./clients.js";
import { compiled } from "./compiled.js";

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
  return { program: join(await compiled({ tool, source, compiler: TOOLS[tool], parameters }), "client"), before: [] };
}

export async function compiledGo(name: string): Promise<Driver> {
  const source = join(DRIVERS, name);
  const folder = await compiled({
    tool: "go",
    source,
    compiler: TOOLS.go,
    parameters: (made) => ["build", "-o", join(made, "client"), source],
    environment: (made) => ({ GO111MODULE: "off", GOPATH: GO_PACKAGES, GOCACHE: join(made, "cache") }),
  });
  return { program: join(folder, "client"), before: [] };
}

/** @param name of the class */
export async function compiledJava(name: string): Promise<Driver> {
  const source = join(DRIVERS, `${name}.java`);
  const parameters = (folder: string) => ["-encoding", "UTF-8", "-cp", JSCH, "-d", folder, source];
  const folder = await compiled({ tool: "jsch", source, compiler: "javac", parameters });
  return { program: TOOLS.jsch, before: ["-cp", `${folder}:${JSCH}`, "-XX:TieredStopAtLevel=1", name] };
}
