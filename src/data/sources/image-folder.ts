import { z } from 'zod';
import { basename } from '../../platform/paths.ts';
import { canonicalJson } from '../canonical-json.ts';
import { IMAGE_ENDINGS } from '../modalities/image/image-format.ts';
import { classFiles, classFolders, hashClassFiles } from './class-folders.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({
    path: z.string().min(1).describe('A folder with a subfolder of images for each class.'),
  })
  .meta({
    title: 'Folder of images',
    description:
      'class/file.png, or train/class/file.png and so on where the images are split already: PNG, JPEG, WebP and GIF files.',
  });

/** Images with the name of their folder for a class: columns `image` and `label`. Other files are ignored. */
export const imageFolder = defineSource({
  kind: 'image-folder',
  gives: 'image',
  options,
  async open({ path }, context) {
    const folder = context.resolvePath(path);
    const classes = await classFolders(folder, 'images');
    const isImage = (name: string) => IMAGE_ENDINGS.some((ending) => name.toLowerCase().endsWith(ending));
    return {
      title: `${basename(folder)}/`,
      fingerprint: async () =>
        canonicalJson({ kind: 'image-folder', files: await hashClassFiles(folder, classes, isImage) }),
      async *rows(signal) {
        for await (const { name, label, split } of classFiles(folder, classes, isImage)) {
          signal?.throwIfAborted();
          yield { sample: { where: name, folder, ...(split && { split }), values: { image: name, label } } };
        }
      },
    };
  },
});
