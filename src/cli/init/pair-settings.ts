import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../../targets/pair-embeds.ts';

/** The task of texts with an image each. */
export const PAIRS_TASK = 'zero-shot-image-classification';
/** Numbers in the vector of a text, and of an image. */
const WIDTH = 128;

/** `key.path=value` for a recipe of pairs. @param inputs as a recipe has them; those of the task when absent */
export function pairSettings(inputs?: Readonly<Record<string, object>>): string[] {
  const objective = [{ kind: 'infoNce', outputs: [TEXT_EMBEDS, IMAGE_EMBEDS], temperature: 0.05 }];
  return [
    ...(inputs ? [`inputs=${JSON.stringify(inputs)}`] : []),
    `outputs=${JSON.stringify({ pairs: { target: 'pairs', width: WIDTH } })}`,
    `objective=${JSON.stringify(objective)}`,
  ];
}
