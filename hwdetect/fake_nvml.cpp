// A stand-in for libnvidia-ml.so.1 with one GPU, for gpu_test.cpp. A call it lacks is a reading with a reason.
#include <cstring>

struct MemoryInfo {
  unsigned long long total, free, used;
};
struct PciInfo {
  char legacy_bus_id[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};

extern "C" {
int nvmlInit_v2() {
  return 0;
}
int nvmlShutdown() {
  return 0;
}
const char* nvmlErrorString(int) {
  return "not supported";
}
int nvmlDeviceGetCount_v2(unsigned* n) {
  return *n = 1, 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned, void** device) {
  return *device = device, 0;
}
int nvmlDeviceGetName(void*, char* text, unsigned n) {
  return std::strncpy(text, "Pretend 9000", n), 0;
}
int nvmlSystemGetDriverVersion(char* text, unsigned n) {
  return std::strncpy(text, "999.1", n), 0;
}
int nvmlDeviceGetMemoryInfo(void*, MemoryInfo* info) {
  return *info = {24ull << 30, 20ull << 30, 4ull << 30}, 0;
}
int nvmlDeviceGetCudaComputeCapability(void*, int* major, int* minor) {
  return *major = 9, *minor = 0, 0;
}
int nvmlDeviceGetMaxPcieLinkGeneration(void*, unsigned*) {
  return 3;
}
int nvmlDeviceGetPciInfo_v3(void*, PciInfo* info) {
  return info->domain = 0, info->bus = 0x65, info->device = 0, 0;
}
}
