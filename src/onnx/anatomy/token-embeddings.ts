import type { Node, Value } from '../graph.ts';
import type { ModelPaths } from './model-paths.ts';

/** What may lie between the tokens and the row that is looked up. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Clip',
  'Max',
  'Min',
  'Reshape',
  'Unsqueeze',
  'Squeeze',
  'Where',
]);

/** Rows of its table: the vocabulary has more of them than there are positions, or types of tokens. */
interface LookUp {
  readonly output: Value;
  readonly rows: number;
}

/**
 * The embeddings of the tokens, float [batch, sequence, width]: what is looked up for the ids in the largest table, before
 * positions are added; under the name that the model gives it. undefined for models without tokens.
 */
export function tokenEmbeddings(paths: ModelPaths): Value | undefined {
  const lookUps = paths.nodes.flatMap((node) => lookUpOf(paths, node) ?? []);
  const tokens = lookUps.reduce<LookUp | undefined>((a, b) => (a && a.rows >= b.rows ? a : b), undefined);
  if (!tokens) return undefined;
  if (!paths.isBatchOf(tokens.output, 3)) {
    return paths.waistsAfter(tokens.output).find((value) => paths.isBatchOf(value, 3));
  }
  let named = tokens.output;
  for (;;) {
    const consumers = paths.consumersOf(named);
    const output = consumers.length === 1 && consumers[0]!.opType === 'Identity' && consumers[0]!.outputs[0];
    if (!output) return named;
    named = output;
  }
}

function lookUpOf(paths: ModelPaths, node: Node): LookUp | undefined {
  const [table, ids] = node.inputs;
  const output = node.outputs[0];
  if (node.opType !== 'Gather' || !table || !ids || !output) return undefined;
  if (paths.changes(table) || !paths.isFloat(table) || !paths.reachesOutput(output)) return undefined;
  const shape = paths.shapeOf(table);
  if (shape?.length !== 2 || !isInput(paths, ids)) return undefined;
  return { output, rows: shape[0]! };
}

/** Whether a value is one of the model's inputs, as it is. */
function isInput(paths: ModelPaths, value: Value): boolean {
  if (paths.graph.inputs.includes(value)) return true;
  const producer = paths.producerOf(value);
  if (!producer || !PASSED_ON.has(producer.opType)) return false;
  // Which ids stay may depend on other inputs, as on the mask.
  const values = producer.opType === 'Where' ? producer.inputs.slice(1) : producer.inputs;
  const from = values.filter((input) => paths.changes(input));
  return from.length === 1 && isInput(paths, from[0] as Value);
}
