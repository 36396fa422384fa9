import { LimbeckError } from '../errors.ts';

/** ORT's error of a run, told with the node where it happened. */
export function runError(cause: unknown, title: string): Error {
  const message = messageOf(cause);
  const node = /while running (\S+) node\. Name:'([^']*)'/.exec(message);
  const status = /Status Message: (.*)/s.exec(message)?.[1] ?? message;
  return new LimbeckError('engine.run', `running ${title} failed: ${firstLine(status)}`, {
    where: node ? `node '${node[2]}' (${node[1]})` : title,
    remedy: 'Check the types and shapes of the inputs against what the model declares.',
    cause,
  });
}

/** ORT's error of loading a model, with the place that its message names. */
export function loadError(cause: unknown, title: string): LimbeckError {
  const message = messageOf(cause);
  const newer = newerThanKnown(message);
  if (newer) {
    return new LimbeckError('engine.load', `ONNX Runtime cannot load ${title}: it is of ${newer.version}`, {
      where: title,
      remedy: `Export it with ${newer.known} at most, which this ONNX Runtime knows, or update ONNX Runtime.`,
      cause,
    });
  }
  const node = /Node(?:\s*\(|:\s*)([^)\s]+)\)?.*?Op(?:\s*\(|:\s*)([^)\s]+)\)?/.exec(message);
  return new LimbeckError('engine.load', `ONNX Runtime cannot load ${title}: ${firstLine(message)}`, {
    where: node ? `node '${node[1]}' (${node[2]})` : title,
    remedy:
      'Check that the file is a whole ONNX model, of operators and an opset that this ONNX Runtime knows.',
    cause,
  });
}

/** What is newer in a model than ONNX Runtime knows. */
function newerThanKnown(message: string): { version: string; known: string } | undefined {
  const ir = /Unsupported model IR version: (\d+), max supported IR version: (\d+)/.exec(message);
  if (ir) return { version: `IR version ${ir[1]}`, known: `IR version ${ir[2]}` };
  const opset = /Opset (\d+) is under development.*support for domain (\S+) is till opset (\d+)/s.exec(
    message,
  );
  return opset ? { version: `opset ${opset[1]} of ${opset[2]}`, known: `opset ${opset[3]}` } : undefined;
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The part that a person wants to read, without ORT's source paths, C++ signatures and own error numbers. */
export function firstLine(message: string): string {
  return message
    .replace(/^.*ERROR_MESSAGE: /s, '')
    .replace(/^\/onnxruntime_src\/.* was false\. /s, '')
    .replace(/\/onnxruntime_src\/\S+:\d+ .*?(?:\)|\]) (?=\S)/s, '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 2)
    .join(' ');
}
