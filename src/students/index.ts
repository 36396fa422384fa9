import { bert } from './bert.ts';
import { textAttention } from './text-attention.ts';
import { textConv } from './text-conv.ts';

/** The students that a recipe can name. To add one: a file beside these, and a line here. */
export const TEXT_STUDENTS = [textConv, textAttention, bert] as const;
