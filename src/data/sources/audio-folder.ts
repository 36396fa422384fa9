import { z } from 'zod';
import { AUDIO_ENDINGS, UNREAD_AUDIO_ENDINGS } from '../modalities/audio/formats.ts';
import { openFolderOfFiles } from './folder-of-files.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({
    path: z.string().min(1).describe('A folder with a subfolder of audio files for each class.'),
  })
  .meta({
    title: 'Folder of audio files',
    description:
      'class/file.wav, or train/class/file.wav and so on where the files are split already: WAV, FLAC, MP3 and Ogg files.',
  });

/** Audio files with the name of their folder for a class: columns `audio` and `label`. Other files are ignored. */
export const audioFolder = defineSource({
  kind: 'audio-folder',
  gives: 'audio',
  options,
  open: ({ path }, context) =>
    openFolderOfFiles(context.resolvePath(path), {
      kind: 'audio-folder',
      column: 'audio',
      unit: 'audio files',
      endings: AUDIO_ENDINGS,
      unread: UNREAD_AUDIO_ENDINGS,
    }),
});
