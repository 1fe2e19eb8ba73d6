export * from "./generated/holdfast/v1/controller_pb.ts";
export * from "./generated/holdfast/v1/storage_pb.ts";
export { type CallFailure, callFailure, failureIn, type StatusName } from "./call-failure.ts";
export { CallError, type CallErrorCode } from "./errors.ts";
export { type CallContext, createServiceClient, grpcDefinition, type ServiceClient, type ServiceHandlers } from "./grpc.ts";
export { type GrpcServer, type GrpcServerOptions, startGrpcServer } from "./grpc-server.ts";
export { parseCall } from "./parse-call.ts";
