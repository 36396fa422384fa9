import type { Split } from '../../data/split.ts';
import { imageChannels } from '../../export/image-channels.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { TaskData } from '../context/task.ts';
import { inThreeChannels } from './open-classifier.ts';

/** A call's feeds, by the names of inputs. */
type Feeds = Readonly<Record<string, Tensor>>;

/** The columns of a batch that a shipped model reads, as it reads them. */
export function shippedFeeds(graph: Graph): (columns: Feeds) => Feeds {
  const names = inputNames(graph);
  const takesColours = imageChannels(graph) === 3;
  return (columns) => {
    const read = Object.fromEntries(names.map((name) => [name, columns[name] as Tensor]));
    return takesColours ? inThreeChannels(read) : read;
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
  return [...speedCalls(split, rows, count, inputNames(graph))].map(shippedFeeds(graph));
}

function inputNames(graph: Graph): string[] {
  return graph.inputs.filter((input) => !graph.initializers.has(input)).map(({ name }) => name);
}
