export { default } from "@holdfast/ui/next-config";
