/** grpc-js has no types for our generated messages; these few lines join the two. */
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";

type MethodsOf<S extends DescService, Kind extends DescMethod["methodKind"]> = {
  [K in keyof S["method"] as S["method"][K] extends DescMethod & { methodKind: Kind } ? K : never]: S["method"][K];
};

type Input<M extends DescMethod> = MessageShape<M["input"]>;
type Output<M extends DescMethod> = MessageInitShape<M["output"]>;

export interface CallContext {
  /** Aborted when the caller is gone, or the call takes longer than it may. */
  gone: AbortSignal;
}

/**
 * A handler for each method, unary or streaming one way. It throws what it cannot do. Of a stream that it is given, no more
 * is read than it asks for; of one that it gives, it is asked for no more than the caller takes, and what it gave may be
 * changed as soon as it is asked for more.
 */
export type ServiceHandlers<S extends DescService> = {
  [K in keyof MethodsOf<S, "unary">]: (
    request: Input<MethodsOf<S, "unary">[K]>,
    context: CallContext,
  ) => Promise<Output<MethodsOf<S, "unary">[K]>>;
} & {
  [K in keyof MethodsOf<S, "client_streaming">]: (
    requests: AsyncIterable<Input<MethodsOf<S, "client_streaming">[K]>>,
    context: CallContext,
  ) => Promise<Output<MethodsOf<S, "client_streaming">[K]>>;
} & {
  [K in keyof MethodsOf<S, "server_streaming">]: (
    request: Input<MethodsOf<S, "server_streaming">[K]>,
    context: CallContext,
  ) => AsyncIterable<Output<MethodsOf<S, "server_streaming">[K]>>;
};

/** A caller for each unary method. Rejects with `grpc.ServiceError`. */
export type ServiceClient<S extends DescService> = {
  [K in keyof MethodsOf<S, "unary">]: (
    request: MessageInitShape<MethodsOf<S, "unary">[K]["input"]>,
    options: { metadata: grpc.Metadata; deadline: Date },
  ) => Promise<MessageShape<MethodsOf<S, "unary">[K]["output"]>>;
} & { close(): void };

/** The service as grpc-js wants it described. */
export function grpcDefinition(service: DescService): grpc.ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(service, method)]));
}

export function createServiceClient<S extends DescService>(
  service: S,
  address: string,
  credentials: grpc.ChannelCredentials,
  options: grpc.ChannelOptions = {},
): ServiceClient<S> {
  const Client = grpc.makeGenericClientConstructor(grpcDefinition(service), service.typeName);
  const client = new Client(address, credentials, options);
  const unary = service.methods.filter(({ methodKind }) => methodKind === "unary");
  const calls = unary.map(({ localName }) => [localName, promisified(client, localName)]);
  return { ...Object.fromEntries(calls), close: () => client.close() } as ServiceClient<S>;
}

type UnaryCall = (
  request: unknown,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, response: unknown) => void,
) => void;

function promisified(client: grpc.Client, name: string) {
  const call = (client as unknown as Record<string, UnaryCall>)[name]!;
  return (request: unknown, { metadata, deadline }: { metadata: grpc.Metadata; deadline: Date }) =>
    new Promise((resolve, reject) => {
      call.call(client, request, metadata, { deadline }, (error, response) => (error === null ? resolve(response) : reject(error)));
    });
}

function methodDefinition(service: DescService, method: DescMethod): grpc.MethodDefinition<unknown, unknown> {
  return {
    path: `/${service.typeName}/${method.name}`,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: serializer(method.input),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: serializer(method.output),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

function serializer(descriptor: DescMessage) {
  return (message: unknown): Buffer => {
    const bytes = toBinary(descriptor, create(descriptor, message as MessageInitShape<DescMessage>));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}
