import { z } from 'zod';
import { basename } from '../../platform/paths.ts';
import { canonicalJson } from '../canonical-json.ts';
import { classFiles, classFolders, hashClassFiles } from './class-folders.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({
    path: z.string().min(1).describe('A folder with a subfolder of audio files for each class.'),
  })
  .meta({
    title: 'Folder of audio',
    description:
      'class/file.wav, or train/class/file.wav and so on where the audio is split already: WAV, FLAC, MP3 and Ogg files.',
  });

const ENDINGS = ['.wav', '.wave', '.flac', '.mp3', '.ogg', '.oga', '.opus'];

/** Audio with the name of its folder for a class: columns `audio` and `label`. Other files are ignored. */
export const audioFolder = defineSource({
  kind: 'audio-folder',
  gives: 'audio',
  options,
  async open({ path }, context) {
    const folder = context.resolvePath(path);
    const classes = await classFolders(folder, 'audio');
    const isAudio = (name: string) => ENDINGS.some((ending) => name.toLowerCase().endsWith(ending));
    return {
      title: `${basename(folder)}/`,
      fingerprint: async () =>
        canonicalJson({ kind: 'audio-folder', files: await hashClassFiles(folder, classes, isAudio) }),
      async *rows(signal) {
        for await (const { name, label, split } of classFiles(folder, classes, isAudio)) {
          signal?.throwIfAborted();
          yield { sample: { where: name, folder, ...(split && { split }), values: { audio: name, label } } };
        }
      },
    };
  },
});
