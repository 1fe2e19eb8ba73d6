export * from "./generated/holdfast/v1/controller_pb.ts";
export { createServiceClient, grpcDefinition, type ServiceClient, type ServiceHandlers } from "./grpc.ts";
