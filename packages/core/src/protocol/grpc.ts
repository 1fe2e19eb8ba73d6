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

type UnaryMethods<S extends DescService> = {
  [K in keyof S["method"] as S["method"][K] extends DescMethod & { methodKind: "unary" } ? K : never]: S["method"][K];
};

/** A handler for each unary method: takes the request, returns the response or throws a `grpc.ServiceError`-like object. */
export type ServiceHandlers<S extends DescService> = {
  [K in keyof UnaryMethods<S>]: (
    request: MessageShape<UnaryMethods<S>[K]["input"]>,
    metadata: grpc.Metadata,
  ) => Promise<MessageInitShape<UnaryMethods<S>[K]["output"]>>;
};

/** A caller for each unary method. Rejects with `grpc.ServiceError`. */
export type ServiceClient<S extends DescService> = {
  [K in keyof UnaryMethods<S>]: (
    request: MessageInitShape<UnaryMethods<S>[K]["input"]>,
    options: { metadata: grpc.Metadata; deadline: Date },
  ) => Promise<MessageShape<UnaryMethods<S>[K]["output"]>>;
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
  const calls = service.methods.map((method) => [method.localName, promisified(client, method.localName)]);
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
