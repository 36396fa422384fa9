import { z } from 'zod';
import { IMAGE_ENDINGS, UNREAD_IMAGE_ENDINGS } from '../modalities/image/image-format.ts';
import { openFolderOfFiles } from './folder-of-files.ts';
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
  open: ({ path }, context) =>
    openFolderOfFiles(context.resolvePath(path), {
      kind: 'image-folder',
      column: 'image',
      unit: 'images',
      endings: IMAGE_ENDINGS,
      unread: UNREAD_IMAGE_ENDINGS,
    }),
});
