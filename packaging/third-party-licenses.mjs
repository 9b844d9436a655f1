import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The licences of packages whose code is in dist/.
 *
 * @param {string} root of the checkout
 * @param {readonly string[]} folders of modules, from the root: `node_modules/NAME/…`
 */
export function thirdPartyLicenses(root, folders) {
  const names = folders.map((folder) => folder.match(/node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules\/)/)[1]);
  const texts = [...new Set(names)].sort().map((name) => {
    const { version, license, repository } = JSON.parse(read(root, name, "package.json"));
    const place = typeof repository === "string" ? `https://github.com/${repository}` : repository.url;
    const parts = [read(root, name, "LICENSE"), ...(license.includes("Zlib") ? [ZLIB] : [])];
    return [`${name} ${version} (${license})`, place, "", ...parts.map((part) => `${part.trim()}\n`)].join("\n");
  });
  return [INTRODUCTION, ...texts].join(`\n${"-".repeat(80)}\n\n`);
}

const INTRODUCTION = "The code of these packages is part of the files in this folder.\n";

const read = (root, name, file) => readFileSync(join(root, "node_modules", name, file), "utf8");

/** Of pako's `src/zlib`, which is a port of zlib; pako's own file of licences does not have the text. */
const ZLIB = `(The zlib License)

Copyright (C) 1995-2013 Jean-loup Gailly and Mark Adler
Copyright (C) 2014-2017 Vitaly Puzrin and Andrey Tupitsin

This software is provided 'as-is', without any express or implied
warranty. In no event will the authors be held liable for any damages
arising from the use of this software.

Permission is granted to anyone to use this software for any purpose,
including commercial applications, and to alter it and redistribute it
freely, subject to the following restrictions:

1. The origin of this software must not be misrepresented; you must not
   claim that you wrote the original software. If you use this software
   in a product, an acknowledgment in the product documentation would be
   appreciated but is not required.
2. Altered source versions must be plainly marked as such, and must not be
   misrepresented as being the original software.
3. This notice may not be removed or altered from any source distribution.
`;
