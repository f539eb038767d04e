#pragma once
// The one place that includes Boost.Asio. Sources only: it costs seconds, and its code is compiled once, in asio.cpp.
#define BOOST_ASIO_NO_DEPRECATED
#define BOOST_ASIO_SEPARATE_COMPILATION
#define BOOST_ERROR_CODE_HEADER_ONLY
#ifdef __SANITIZE_THREAD__
// ThreadSanitizer does not understand fences, g++ therefore refuses them; the queues' mutexes order the same things.
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif
#include <utility>  // Asio 1.74 uses std::exchange without it in C++20

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

namespace wh {

namespace asio = boost::asio;
using asio_error = boost::system::error_code;
using loop_executor = asio::io_context::executor_type;
using loop_strand = asio::strand<loop_executor>;
using loop_timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, loop_executor>;

}  // namespace wh
