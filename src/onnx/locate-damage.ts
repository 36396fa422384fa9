import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { isLfsPointer, LFS_POINTER } from '../lfs-pointer.ts';
import { ModelProtoSchema } from './schema/onnx.gen.ts';

/**
 * What is wrong with bytes that could not be parsed as an ONNX model, as a phrase with the place where known.
 * `cause` is what the parser threw.
 */
export function locateDamage(bytes: Uint8Array, cause?: unknown): string {
  // protobuf-es stops at 100 messages inside one another; real models have some ten.
  if (/recursion depth/.test((cause as Error | undefined)?.message ?? ''))
    return 'its messages are nested too deep';
  const start = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart();
  if (isLfsPointer(start)) return `it is ${LFS_POINTER}`;
  if (start.startsWith('<')) return 'it is a web page or XML';
  if (start.startsWith('{')) return 'it is JSON';
  return damagedField(bytes) ?? 'a message inside it ends too early or has an invalid tag';
}

/** Walks the outermost fields only: a file that was cut short ends inside one of them. */
function damagedField(bytes: Uint8Array): string | undefined {
  const reader = new BinaryReader(bytes);
  let offset = 0;
  let field = 'its first field';
  try {
    while (reader.pos < bytes.byteLength) {
      offset = reader.pos;
      const [number, wireType] = reader.tag();
      field = ModelProtoSchema.fields.find((known) => known.number === number)?.name ?? `field ${number}`;
      if (wireType === WireType.LengthDelimited) {
        const length = reader.uint32();
        const left = bytes.byteLength - reader.pos;
        if (length > left) {
          return `'${field}', at byte ${offset}, is ${length} bytes long, but only ${left} are left`;
        }
        reader.pos += length;
      } else {
        reader.skip(wireType, number);
      }
    }
  } catch {
    return `'${field}', at byte ${offset}, cannot be read`;
  }
  return undefined;
}
