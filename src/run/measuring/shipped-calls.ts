import type { Split } from '../../data/split.ts';
import { imageChannels } from '../../export/image-channels.ts';
import { emptyPast, isOfPast } from '../../generate/without-past.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { TaskData } from '../context/task.ts';
import { inThreeChannels } from './open-classifier.ts';

/** A call's feeds, by the names of inputs. */
type Feeds = Readonly<Record<string, Tensor>>;

/** The columns of a batch that a shipped model reads, as it reads them; a decoder reads texts whole, with nothing before them. */
export function shippedFeeds(graph: Graph): (columns: Feeds) => Feeds {
  const names = columnsOf(graph);
  const takesColours = imageChannels(graph) === 3;
  return (columns) => {
    const read = Object.fromEntries(names.map((name) => [name, columns[name] as Tensor]));
    const rows = Object.values(read)[0]?.dims[0] ?? 0;
    return { ...emptyPast(graph.inputs, rows), ...(takesColours ? inThreeChannels(read) : read) };
  };
}

/** Calls of a shipped model with samples from all over a split, as `speedCalls` makes them for models in training. */
export function shippedCalls(
  { speedCalls }: Pick<TaskData, 'speedCalls'>,
  split: Split,
  graph: Graph,
  rows: number,
  count?: number,
): Feeds[] {
  return [...speedCalls(split, rows, count, columnsOf(graph))].map(shippedFeeds(graph));
}

/** The outputs of a shipped model that are answers: not what a decoder keeps of a text. */
export function answersOf({ outputs }: Graph): string[] {
  return outputs.map(({ name }) => name).filter((name) => !isOfPast(name));
}

function columnsOf(graph: Graph): string[] {
  return graph.inputs
    .filter((input) => !graph.initializers.has(input) && !isOfPast(input.name))
    .map(({ name }) => name);
}
