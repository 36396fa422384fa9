import { LimbeckError } from '../errors.ts';
import type { Graph, Node, TypedValue, Value } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { renameValue } from '../onnx/passes/rename-value.ts';
import { laterHidden, placesFrom, WRITER_SEAMS } from '../targets/sentence-writer.ts';
import { WRITER_METADATA, type WriterFacts, writerFacts } from '../targets/writer-facts.ts';
import { WRITER_STEM } from './is-writer.ts';
import { byFile, type PackageAddition, type PackageModels } from './package-folder.ts';

const [BATCH, SEQUENCE, PAST] = ['batch_size', 'sequence_length', 'past_sequence_length'] as const;
const IMAGE_PART = /^image\.\d+\.(?:key|value)$/;
const PRESENT = /^present\.\d+\.(?:key|value)$/;

/** A model that writes, as it ships: what looks at the image once, and what writes word by word. */
export interface WriterParts {
  /**
   * The outputs but the sentence's, and what words look at of the image, for each layer N `image.N.key` float32 [batch, heads, size, places]
   * and `image.N.value` float32 [batch, heads, places, size].
   */
  readonly encoder: Graph;
  /**
   * Inputs `input_ids` int64 [batch, new words], those outputs of the encoder, and for each layer N `past_key_values.N.key` and `.value`, float32
   * [batch, heads, words before, size]; outputs `logits` [batch, new words, words] and `present.N.key` and `.value`.
   */
  readonly decoder: Graph;
}

/**
 * Takes a model that writes (`target: sentence`) apart for shipping: of the image everything is computed once, of words what was
 * computed of earlier ones comes in and goes out again. Undefined for other models.
 */
export function splitWriter(graph: Graph): WriterParts | undefined {
  const facts = writerFacts(graph);
  if (!facts) return undefined;
  return { encoder: lookingPart(graph, facts), decoder: writingPart(graph, facts) };
}

/** The parts of a student's models, as a package has them: those that look in their usual place, those that write beside them. */
export function splitPackage<T extends PackageModels & { readonly addition?: PackageAddition | undefined }>(
  content: T,
): T {
  const further = Object.entries(content.further ?? {}) as [string, Graph][];
  const looking = (graph: Graph) => splitWriter(graph)?.encoder ?? graph;
  const writing = (graph: Graph) => splitWriter(graph)?.decoder ?? graph;
  const apart = (of: (graph: Graph) => Graph): PackageModels => ({
    model: of(content.model),
    quantized: content.quantized && of(content.quantized),
    further: Object.fromEntries(further.map(([precision, graph]) => [precision, of(graph)])),
  });
  const written = Object.entries(byFile(apart(writing), WRITER_STEM)).filter(
    (file): file is [string, Graph] => file[1] !== null,
  );
  return {
    ...content,
    ...apart(looking),
    addition: {
      models: { ...content.addition?.models, ...Object.fromEntries(written) },
      files: content.addition?.files ?? [],
    },
  };
}

function lookingPart(graph: Graph, { output, input }: WriterFacts): Graph {
  const g = new GraphBuilder(graph.opsets.get(''));
  const inputs = graph.inputs.map(
    ({ name, type, shape }) => [name, g.input(name, type ?? 'float32', shape ?? [])] as const,
  );
  const values = g.copy(graph, new Map(inputs));
  for (const value of graph.outputs)
    if (value.name !== output) g.output(values.get(value) as TypedValue, value.name);
  for (const [name, value] of imageParts(graph)) g.output(values.get(value) as TypedValue, name);
  for (const [key, value] of graph.metadata) if (key !== WRITER_METADATA) g.setMetadata(key, value);
  return without(removeDeadNodes(g.build(graph.name)), input);
}

function writingPart(graph: Graph, facts: WriterFacts): Graph {
  const g = new GraphBuilder(graph.opsets.get(''));
  const words = g.input('input_ids', 'int64', [BATCH, SEQUENCE]);
  const looked = new Map(
    [...imageParts(graph)].map(([name, value]) => {
      const sizes = (value.shape as number[]).slice(1);
      return [value, g.input(name, 'float32', [BATCH, ...sizes])] as const;
    }),
  );
  const kept = new Map<Value, { readonly past: TypedValue; readonly present: string }>();
  for (const [part, seam] of [
    ['key', WRITER_SEAMS.keys],
    ['value', WRITER_SEAMS.values],
  ] as const) {
    seamsOf(graph, seam).forEach((value, n) => {
      const [, heads, , size] = value.shape as number[];
      const shape = [BATCH, heads as number, PAST, size as number];
      const past = g.input(`past_key_values.${n}.${part}`, 'float32', shape);
      kept.set(value, { past, present: `present.${n}.${part}` });
    });
  }
  const [first] = kept.values();
  if (!first) throw noWriter(graph);
  const before = g.gather(g.shapeOf(first.past), g.scalar(2, 'int64'));
  const asking = placesFrom(g, words, before);
  const made = new Map<string, TypedValue>();
  const unread = graph.inputs
    .filter(({ name }) => name !== facts.input)
    .map(
      ({ name, type, shape }) => [name, g.input(`unread/${name}`, type ?? 'float32', shape ?? [])] as const,
    );
  const copied = g.copy(graph, new Map([[facts.input, words], ...unread]), '', (node, { read }) => {
    const [value] = node.outputs as [Value];
    const state = looked.get(value);
    if (state) return [state];
    if (isSeam(value, WRITER_SEAMS.positions)) return [asking];
    if (isSeam(value, WRITER_SEAMS.bias)) return [laterHidden(g, allPlaces(g, before, words), asking)];
    const part = kept.get(value);
    const here = part && read(newlyMade(node));
    if (!part || !here) return undefined;
    const all = g.concat([part.past, here], 2);
    made.set(part.present, all);
    return [all];
  });
  const logits = graph.outputs.find(({ name }) => name === facts.output) as Value;
  g.output(copied.get(logits) as TypedValue, 'logits');
  for (const { present } of kept.values()) g.output(made.get(present) as TypedValue, present);
  g.setMetadata(WRITER_METADATA, JSON.stringify(facts));
  const built = removeDeadNodes(g.build(`${graph.name}-writer`));
  return nameOutputs({ ...built, inputs: built.inputs.filter(({ name }) => !name.startsWith('unread/')) });
}

function noWriter({ name }: Graph): LimbeckError {
  return new LimbeckError('export.no-cache', 'the model has no keys and values of words that could be kept', {
    where: name,
    remedy: 'Ship it in float32, int8 or with 4-bit weights; float16 is not written yet.',
  });
}

/** The places of all words so far, int64 [before + new]. */
function allPlaces(g: GraphBuilder, before: TypedValue, words: TypedValue): TypedValue {
  const length = g.gather(g.shapeOf(words), g.scalar(1, 'int64'));
  return g.op('Range', [g.scalar(0, 'int64'), g.add(before, length), g.scalar(1, 'int64')]);
}

/**
 * The parts together again, reading the true words before each: what teaches, and what is looked into.
 *
 * @param as the names of output and input, and how many words there are to write
 */
export function joinWriter(
  { encoder, decoder }: WriterParts,
  as: {
    readonly output: string;
    readonly input: string;
    readonly length: number;
    /** Makes the decoder's words of those that are read, and the logits of those that are answered of the decoder's. */
    readonly translate?:
      | {
          readonly words: (g: GraphBuilder, ids: TypedValue) => TypedValue;
          readonly logits: (g: GraphBuilder, logits: TypedValue) => TypedValue;
        }
      | undefined;
    readonly facts: WriterFacts;
  },
): Graph {
  const g = new GraphBuilder(Math.max(encoder.opsets.get('') ?? 0, decoder.opsets.get('') ?? 0));
  const bound = encoder.inputs.map(
    ({ name, type, shape }) => [name, g.input(name, type ?? 'float32', shape ?? [])] as const,
  );
  const given = g.input(as.input, 'int64', ['batch', as.length]);
  // The names are free for the next time that it is taken apart.
  const names = encoder.outputs.flatMap(({ name }) => (IMAGE_PART.test(name) ? [name] : []));
  let looking = encoder;
  for (const name of names) {
    const value = looking.outputs.find((output) => output.name === name) as Value;
    looking = renameValue(looking, value, lookedName(name));
  }
  const looked = g.copy(looking, new Map(bound));
  const states = new Map(
    names.map((name) => {
      const value = looking.outputs.find((output) => output.name === lookedName(name)) as Value;
      return [name, looked.get(value) as TypedValue] as const;
    }),
  );
  const words = as.translate ? as.translate.words(g, given) : given;
  const ofDecoder = decoder.inputs.map(({ name, type, shape }) => {
    if (name === 'input_ids') return [name, words] as const;
    const state = states.get(name);
    if (state) return [name, state] as const;
    return [name, g.input(`unread/${name}`, type ?? 'float32', shape ?? [])] as const;
  });
  const places = placesFrom(g, words);
  const copied = g.copy(decoder, new Map(ofDecoder), 'writer', (node, { read }) => {
    const [value] = node.outputs as [Value];
    if (isSeam(value, WRITER_SEAMS.positions)) return [places];
    if (isSeam(value, WRITER_SEAMS.bias)) return [laterHidden(g, places, places)];
    // Behind it is the seam, under its name.
    const here = PRESENT.test(value.name) && read(newlyMade(node));
    return here ? [here] : undefined;
  });
  for (const value of looking.outputs)
    if (!names.some((name) => value.name === lookedName(name)))
      g.output(looked.get(value) as TypedValue, value.name);
  const logits = copied.get(decoder.outputs.find(({ name }) => name === 'logits') as Value) as TypedValue;
  g.output(as.translate ? as.translate.logits(g, logits) : logits, as.output);
  g.setMetadata(WRITER_METADATA, JSON.stringify(as.facts));
  const built = removeDeadNodes(g.build(encoder.name));
  return { ...built, inputs: built.inputs.filter(({ name }) => !name.startsWith('unread/')) };
}

/** What words look at of the image, by the names under which it is handed on. */
function imageParts(graph: Graph): ReadonlyMap<string, Value> {
  const parts = (seam: string, part: string) =>
    seamsOf(graph, seam).map((value, n) => [`image.${n}.${part}`, value] as const);
  return new Map([...parts(WRITER_SEAMS.imageKeys, 'key'), ...parts(WRITER_SEAMS.imageValues, 'value')]);
}

function lookedName(name: string): string {
  return `looked/${name}`;
}

/** What a layer makes of the new words: all in the whole form, behind those of earlier words in the other. */
function newlyMade({ inputs }: Node): Value {
  return inputs.at(-1) as Value;
}

/** The values at a seam, in the order of the layers; of one under several names, as what was joined has it, the first. */
function seamsOf({ nodes }: Graph, seam: string): Value[] {
  const same = new Set<Value>();
  const found: Value[] = [];
  for (const { opType, inputs, outputs } of nodes) {
    const [value, from] = [outputs[0] as Value, inputs[0]];
    const isCopy = opType === 'Identity' && from != null && same.has(from);
    if (isSeam(value, seam) && !isCopy) found.push(value);
    if (isSeam(value, seam) || isCopy) same.add(value);
  }
  return found;
}

function isSeam(value: Value | null | undefined, seam: string): boolean {
  return value?.name === seam || value?.name.endsWith(`/${seam}`) === true;
}

function without(graph: Graph, input: string): Graph {
  return { ...graph, inputs: graph.inputs.filter(({ name }) => name !== input) };
}
