#include "nodes/ctl/commands.hpp"

int main(int argc, char** argv) { return wh::ctl::run_whctl(argc, argv, wh::ctl::process_streams()); }
