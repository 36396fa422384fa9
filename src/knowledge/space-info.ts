import { z } from 'zod';
import { SEQUENCE } from '../data/columns.ts';
import { rename, writeFile } from '../platform/async-files.ts';
import { createSha256 } from '../platform/hash.ts';
import { PROCESS_ID } from '../platform/machine.ts';
import { join } from '../platform/paths.ts';
import { readRegularText } from '../regular-file.ts';
import { LABEL_ENCODINGS } from './label-encoding.ts';
import type { SpaceInfo } from './label-space.ts';

/** The file, beside the labels, that says what they are. Its time of change is the space's last use. */
export const SPACE_FILE = 'space.json';

const FORMAT = 1;

/** What defines a space; the title is for people. */
export type SpaceDefinition = Omit<SpaceInfo, 'id' | 'created'>;

const spaceFile = z.object({
  format: z.literal(FORMAT),
  id: z.string(),
  title: z.string(),
  teacher: z.string(),
  tap: z.string(),
  preprocessing: z.string(),
  dims: z.array(z.union([z.int().nonnegative(), z.literal(SEQUENCE)])),
  encoding: z.enum(LABEL_ENCODINGS),
  created: z.string(),
});

/** The full description of a space that is made now. */
export function spaceInfo(definition: SpaceDefinition): SpaceInfo {
  const { title, teacher, tap, preprocessing, dims, encoding } = definition;
  const identity = JSON.stringify([FORMAT, teacher, tap, preprocessing, dims, encoding]);
  const id = createSha256().update(identity).digest('hex').slice(0, 32);
  return { id, title, teacher, tap, preprocessing, dims, encoding, created: new Date().toISOString() };
}

/** What a space's folder says about it; undefined when it does not say. */
export async function readSpaceInfo(folder: string): Promise<SpaceInfo | undefined> {
  try {
    const parsed = spaceFile.safeParse(JSON.parse(readRegularText(join(folder, SPACE_FILE))));
    if (!parsed.success) return undefined;
    const { format: _, ...info } = parsed.data;
    return info;
  } catch {
    return undefined;
  }
}

/** Writes the description so that a reader sees all of it or none. */
export async function writeSpaceInfo(folder: string, info: SpaceInfo): Promise<void> {
  const file = join(folder, SPACE_FILE);
  const draft = `${file}.${PROCESS_ID}`;
  await writeFile(draft, `${JSON.stringify({ format: FORMAT, ...info }, null, 2)}\n`);
  await rename(draft, file);
}
