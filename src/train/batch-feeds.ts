import type { Session } from '../engine/engine.ts';
import type { Tensor } from '../onnx/tensor.ts';

/** What a model takes of a batch: labels and knowledge are there also where no term of the loss asks for them. */
export function takenFeeds(
  { inputNames }: Pick<Session, 'inputNames'>,
  feeds: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => inputNames.includes(name)));
}
