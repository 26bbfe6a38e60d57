import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A scratch folder that is gone when `t` ends. */
export async function scratch(t) {
  const folder = await mkdtemp(join(tmpdir(), 'bucketry-files-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return {
    folder,
    async write(name, content) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      return path;
    },
    async random(name, mebibytes) {
      const content = randomBytes(mebibytes * 1024 * 1024);
      return { path: await this.write(name, content), content };
    },
  };
}
