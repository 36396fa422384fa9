import { createFileRegistry, type DescFile } from '@bufbuild/protobuf';
import { BinaryReader, base64Decode } from '@bufbuild/protobuf/wire';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';

/** Fields of a message of descriptor.proto, by number. */
interface Fields {
  readonly [number: number]: {
    readonly name: string;
    readonly read: 'string' | 'int32' | 'bool' | Fields;
    readonly many?: boolean;
  };
}

const NAME = { name: 'name', read: 'string' } as const;
const FIELD: Fields = {
  1: NAME,
  3: { name: 'number', read: 'int32' },
  4: { name: 'label', read: 'int32' },
  5: { name: 'type', read: 'int32' },
  6: { name: 'typeName', read: 'string' },
  8: { name: 'options', read: { 2: { name: 'packed', read: 'bool' } } },
  9: { name: 'oneofIndex', read: 'int32' },
};
const MESSAGE: Fields = {
  1: NAME,
  2: { name: 'field', read: FIELD, many: true },
  get 3() {
    return { name: 'nestedType', read: MESSAGE, many: true };
  },
  8: { name: 'oneofDecl', read: { 1: NAME }, many: true },
};
const FILE: Fields = {
  1: NAME,
  2: { name: 'package', read: 'string' },
  4: { name: 'messageType', read: MESSAGE, many: true },
};

/** Defaults of every message. */
const EMPTY = {
  syntax: '',
  dependency: [],
  enumType: [],
  service: [],
  extension: [],
  field: [],
  nestedType: [],
  oneofDecl: [],
};

/**
 * The description of onnx.proto, from which generated code takes its messages. `fileDesc` of `@bufbuild/protobuf/codegenv2` does the
 * same, but needs a description of all of descriptor.proto to read one by: 40 kB of a page's code. Only messages, fields
 * and oneofs are read here, since onnx.proto has nothing else.
 *
 * @param base64 a FileDescriptorProto
 * @throws Error for what this does not read: a field of descriptor.proto that onnx.proto did not need yet
 */
export function fileDesc(base64: string): DescFile {
  const bytes = base64Decode(base64);
  const file = readMessage(new BinaryReader(bytes), bytes.length, FILE);
  const described = Object.assign(file, { $typeName: 'google.protobuf.FileDescriptorProto' as const });
  const registry = createFileRegistry(described as unknown as FileDescriptorProto, () => undefined);
  return [...registry.files][0] as DescFile;
}

function readMessage(reader: BinaryReader, end: number, fields: Fields): object {
  const message: Record<string, unknown> = Object.create(EMPTY);
  while (reader.pos < end) {
    const [number] = reader.tag();
    const field = fields[number];
    if (!field) throw new Error(`field ${number} of descriptor.proto is not read`);
    const value =
      typeof field.read === 'string'
        ? reader[field.read]()
        : readMessage(reader, reader.uint32() + reader.pos, field.read);
    const before = Object.hasOwn(message, field.name) ? (message[field.name] as unknown[]) : [];
    message[field.name] = field.many ? [...before, value] : value;
  }
  return message;
}
