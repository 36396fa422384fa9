import { bert } from './bert.ts';
import { mobilenetV3 } from './mobilenet-v3.ts';
import { resnet } from './resnet.ts';
import { textAttention } from './text-attention.ts';
import { textConv } from './text-conv.ts';
import { textNgrams } from './text-ngrams.ts';

/** The students that a recipe can name. To add one: a file beside these, and a line here. */
export const TEXT_STUDENTS = [textConv, textNgrams, textAttention, bert] as const;

/** The same for images. */
export const IMAGE_STUDENTS = [resnet, mobilenetV3] as const;
