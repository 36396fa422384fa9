import { registry } from '../../registry.ts';
import { audio } from './audio/audio.ts';
import { image } from './image/image.ts';
import type { Modality } from './modality.ts';
import { text } from './text/text.ts';

/** Every kind of input that a recipe can name. A new one is a file and a line here. */
export const MODALITIES = registry('modality', [text, image, audio]);

/** The modality of a name; undefined for others. */
export function findModality(kind: string): Modality | undefined {
  return (MODALITIES as readonly unknown[] as readonly Modality[]).find((one) => one.kind === kind);
}
