import type { Engine, Session, SessionOptions } from '../engine/engine.ts';
import { writingSession } from '../generate/writing-session.ts';
import type { Graph } from '../onnx/graph.ts';
import { openModelFile } from '../onnx/node-files.ts';
import { writeModel } from '../onnx/write-model.ts';
import { writerFacts } from '../targets/writer-facts.ts';
import { hasWriterFile, writerFileOf } from './is-writer.ts';
import { splitWriter } from './writer-files.ts';

/**
 * Loads a model that writes: of a package the file that looks with the one that writes beside it, of a whole model both parts of it.
 * Throws what reading and loading throw.
 */
export async function openWriter(
  engine: Pick<Engine, 'load'>,
  file: string,
  graph: Graph,
  options: SessionOptions = {},
): Promise<Session> {
  if (hasWriterFile(file)) {
    const beside = writerFileOf(file);
    const facts = writerFacts(openModelFile(beside).graph);
    if (!facts) throw new Error(`${beside} does not say what it writes`);
    return writingSession(await engine.load(file, options), await engine.load(beside, options), facts);
  }
  const [parts, facts] = [splitWriter(graph), writerFacts(graph)];
  if (!parts || !facts) throw new Error(`${file} does not write`);
  const [encoder, decoder] = [parts.encoder, parts.decoder].map((part, i) =>
    engine.load(writeModel(part), { title: i === 0 ? file : `what writes of ${file}`, ...options }),
  ) as [Promise<Session>, Promise<Session>];
  return writingSession(await encoder, await decoder, facts);
}
