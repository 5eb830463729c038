/** Files that are replaced whole. Invariant: at any moment there is the old one or the new one, also when the power goes. */
import {randomBytes} from 'node:crypto';
import {constants} from 'node:fs';
import {type FileHandle, open, rename, rm} from 'node:fs/promises';
import {dirname} from 'node:path';

const TO_MAKE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Written beside it, flushed, renamed, and the name flushed. Throws what the file system says. */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await withFile(beside, TO_MAKE, async (file) => {
      await file.writeFile(text);
      // The mode of open(2) is less what the umask takes.
      await file.chmod(mode);
      await file.sync();
    });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, {force: true}).catch(() => {});
    throw error;
  }
  await withFile(dirname(path), constants.O_RDONLY, (directory) => directory.sync());
}

export async function withFile<T>(path: string, flags: number, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags, 0o600);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
