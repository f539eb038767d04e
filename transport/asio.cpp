// Boost.Asio's own code, compiled once.
#include "transport/asio.hpp"
// asio.hpp comes first: it defines BOOST_ASIO_SEPARATE_COMPILATION.
#include <boost/asio/impl/src.hpp>
